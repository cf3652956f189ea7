package docutray

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Redacted is what a [Key] prints as, and what replaces one in a text.
const Redacted = "[redacted]"

// Key is an API key. It prints as [Redacted] in every form; [Key.Reveal]
// returns its text. Do not keep a Key in an unexported field or as a map key:
// fmt and encoding/json do not call its methods there.
type Key string

// Reveal returns the key itself, for the Authorization header.
func (k Key) Reveal() string { return string(k) }

// Format writes [Redacted] for every verb, even %x.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// LogValue returns [Redacted].
func (Key) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns [Redacted].
func (Key) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// secret holds a key in an unexported field. fmt prints a function as its
// address.
type secret func() Key

func seal(k Key) secret { return func() Key { return k } }

// KeySource supplies the API key. Its methods may be called concurrently.
type KeySource interface {
	// Key returns the key to use now, which is one word that fits in a header. It
	// is called for each request and must be quick.
	Key() (Key, error)
	// Refresh looks for another key, after a 401. It reports whether Key will
	// return a different one from now on. After an error the old key stays.
	Refresh() (changed bool, err error)
}

// ErrKey is wrapped by errors about a key that cannot be used.
var ErrKey = errors.New("unusable API key")

// StaticKey is a key that never changes, without the white space around it. Key
// returns an error that wraps [ErrKey] where the key cannot be used.
func StaticKey(k string) KeySource { return staticKey{seal(Key(strings.TrimSpace(k)))} }

type staticKey struct{ key secret }

// Key fails where the key cannot be used.
func (s staticKey) Key() (Key, error) {
	key := s.key()
	if err := checkKey(key.Reveal()); err != nil {
		return "", err
	}
	return key, nil
}

func (staticKey) Refresh() (bool, error) { return false, nil }

// FileKey reads the key from a file now, and again at each Refresh. It drops
// the white space around the key, and a byte order mark. Errors wrap [ErrKey] or the file's error.
func FileKey(path string) (KeySource, error) {
	f := &fileKey{path: path, key: seal("")}
	if _, err := f.Refresh(); err != nil {
		return nil, err
	}
	return f, nil
}

type fileKey struct {
	path string

	mu  sync.Mutex
	key secret
}

func (f *fileKey) Key() (Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.key(), nil
}

func (f *fileKey) Refresh() (bool, error) {
	text, err := readKeyFile(f.path)
	if err != nil {
		return false, fmt.Errorf("read API key: %w", err)
	}
	if err := checkKey(text); err != nil {
		return false, fmt.Errorf("%s: %w", f.path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := f.key().Reveal() != text
	f.key = seal(Key(text))
	return changed, nil
}

// maxKeySize is far above the size of any key, in bytes.
const maxKeySize = 4096

// readKeyFile reads at most maxKeySize bytes of a regular file, and never
// blocks: the path may be a pipe or a device by mistake.
func readKeyFile(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: %w: not a regular file", path, ErrKey)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxKeySize+1))
	return strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff")), err // editors on Windows put a byte order mark before it
}

// checkKey accepts what fits in a header and is a single word. Its errors do
// not quote the key.
func checkKey(k string) error {
	switch {
	case k == "":
		return fmt.Errorf("%w: it is empty", ErrKey)
	case len(k) > maxKeySize:
		return fmt.Errorf("%w: it is longer than %d bytes", ErrKey, maxKeySize)
	}
	for i := range len(k) {
		if k[i] <= ' ' || k[i] > '~' {
			return fmt.Errorf("%w: byte %d is white space, a control character or not ASCII", ErrKey, i+1)
		}
	}
	return nil
}
