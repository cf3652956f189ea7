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

// Key is an API key. Every way of printing it gives [Redacted]; [Key.Reveal]
// is the only way to its text. Two places are beyond its reach: fmt looks past
// the methods of an unexported field, and encoding/json past those of a map's
// key; keep it in neither.
type Key string

// Reveal returns the key itself, for the Authorization header.
func (k Key) Reveal() string { return string(k) }

// String returns [Redacted].
func (Key) String() string { return Redacted }

// GoString returns [Redacted].
func (Key) GoString() string { return Redacted }

// Format writes [Redacted] whatever the verb: %x and %q would reach the bytes
// without it.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// LogValue returns [Redacted].
func (Key) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns [Redacted].
func (Key) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// sealed holds a key where fmt would look past its methods: it calls none on an
// unexported field, but prints a function as its address.
type sealed func() Key

func seal(k Key) sealed { return func() Key { return k } }

// KeySource gives the API key. Its methods may be called concurrently.
type KeySource interface {
	// Key returns the key to use now. It is called for each request and must
	// be quick.
	Key() (Key, error)
	// Refresh looks for another key, after a 401. changed says that Key will
	// return another one from now on; after an error the old key stays.
	Refresh() (changed bool, err error)
}

// ErrKey is wrapped by every error about a key that cannot be used.
var ErrKey = errors.New("unusable API key")

// StaticKey is a key that never changes. White space around it is dropped; a
// key that cannot be sent is refused by Key, and so by [New].
func StaticKey(k string) KeySource { return staticKey{seal(Key(strings.TrimSpace(k)))} }

type staticKey struct{ key sealed }

func (s staticKey) Key() (Key, error) {
	k := s.key()
	if err := checkKey(k.Reveal()); err != nil {
		return "", err
	}
	return k, nil
}

func (staticKey) Refresh() (bool, error) { return false, nil }

// FileKey reads the key from the file at path, at once and at each Refresh, so
// that a rotated key needs no restart. White space around it is dropped. The
// error wraps [ErrKey] or the one of the file system.
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
	key sealed
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

// maxKeySize is far more than any key has, in bytes.
const maxKeySize = 4096

// readKeyFile reads no more than a key can have, and from nothing that could
// make it wait: the path is a setting, and may name a pipe, a device or a
// document by mistake.
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
		return "", fmt.Errorf("%s: %w: it is not in a regular file", path, ErrKey)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxKeySize+1))
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

// checkKey accepts what can stand in a header and cannot be mistaken for
// several words. Its errors never quote the key.
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
