package settings

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// redacted stands for a key wherever one is printed.
const redacted = "[redacted]"

// Key holds an API key and shows it to nobody but those who call [Key.Reveal]:
// printed, logged or encoded in any way it is "[redacted]". The zero Key is no
// key.
type Key struct {
	// A pointer, because fmt follows unexported fields of other structs without
	// asking their methods; of a pointer it prints the address only.
	value *string
}

// NewKey checks s and holds it. White space at the ends is dropped; what is
// left must be printable ASCII without spaces, since it becomes a part of an
// HTTP header. The error never contains s.
func NewKey(s string) (Key, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Key{}, errors.New("is empty")
	}
	if len(s) > maxKeyLength {
		return Key{}, fmt.Errorf("is longer than %d characters, so it is no key", maxKeyLength)
	}
	for _, c := range []byte(s) {
		switch {
		case c == '\n' || c == '\r':
			return Key{}, errors.New("has more than one line: a key is a single word")
		case c == ' ' || c == '\t':
			return Key{}, errors.New("has white space in it: a key is a single word")
		case c < 0x20 || c >= 0x7f:
			return Key{}, errors.New("has characters that no key has (only printable ASCII can be sent)")
		}
	}
	return Key{&s}, nil
}

// maxKeyLength in bytes: far more than any key, far less than any document
// named by mistake.
const maxKeyLength = 4096

// ReadKey reads the key from a file that holds nothing else. It follows links
// (secrets are often mounted so) but wants a regular file, as reading a pipe
// may wait for ever. The error names the file and never shows what is in it.
func ReadKey(file string) (Key, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Key{}, err
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("%s is not a regular file", printable(file))
	}
	f, err := os.Open(file)
	if err != nil {
		return Key{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 2*maxKeyLength))
	if err != nil {
		return Key{}, err
	}
	key, err := NewKey(string(b))
	if err != nil {
		return Key{}, fmt.Errorf("the key in %s %w", printable(file), err)
	}
	return key, nil
}

// Reveal returns the key itself, for the one header it belongs in.
func (k Key) Reveal() string {
	if k.value == nil {
		return ""
	}
	return *k.value
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.value == nil }

// String hides the key.
func (k Key) String() string {
	if k.IsZero() {
		return ""
	}
	return redacted
}

// Format hides the key whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText hides the key from JSON and other encoders.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue hides the key from slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
