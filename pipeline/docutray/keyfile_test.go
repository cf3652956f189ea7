package docutray

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What stands at the key's path is never waited for: a pipe or a device there is
// an error that says so, at the start and after a 401, and the old key stays.
func TestKeyFileThatIsNoFile(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"fifo":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"socket": func(path string) error {
			l, err := net.Listen("unix", path)
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		},
	} {
		dir, err := os.MkdirTemp("", "key") // a socket's path is short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		path := filepath.Join(dir, "key")
		if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
			t.Fatal(err)
		}
		source, err := FileKey(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(path), put(path)); err != nil {
			t.Fatal(err)
		}
		refreshed := make(chan error, 1)
		go func() {
			_, err := source.Refresh()
			refreshed <- err
		}()
		select {
		case err = <-refreshed:
		case <-time.After(time.Minute):
			t.Fatalf("%s: the key is waited for", what)
		}
		if err == nil || !strings.Contains(err.Error(), path) || what != "socket" && !strings.Contains(err.Error(), "regular") {
			t.Errorf("%s: %v", what, err)
		}
		if key, err := source.Key(); err != nil || key.Reveal() != "one" {
			t.Errorf("%s: the old key is gone: %v", what, err)
		}
	}
}
