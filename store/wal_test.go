package store

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// The newest changes are in the -wal file until they are copied: where it was
// taken away, or is none, a job would be paid for again.
func TestLostChanges(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(path string) error
		says string // "": opened
	}{
		"-wal missing":     {func(path string) error { return os.Remove(path + "-wal") }, "is missing"},
		"-wal garbage":     {func(path string) error { return os.WriteFile(path+"-wal", bytes.Repeat([]byte("x"), 5000), 0o644) }, "is damaged"},
		"-wal of zeros":    {func(path string) error { return os.WriteFile(path+"-wal", make([]byte, 5000), 0o644) }, ""},
		"-wal hardly made": {func(path string) error { return os.WriteFile(path+"-wal", []byte("7"), 0o644) }, ""},
		"both missing":     {func(path string) error { return errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm")) }, ""},
		"-shm missing":     {func(path string) error { return os.Remove(path + "-shm") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := openNew(t)
			path := s.path
			admit(t, s, found("a", "a"))
			check1(t, s.Close())
			check1(t, c.harm(path))
			if c.says != "" {
				is(t, "reader", errOf(OpenReader(ctx, path)), ErrUnusable)
				is(t, "command", errOf(OpenShared(ctx, Config{Path: path})), ErrUnusable)
				refused(t, path, path+"-wal "+c.says)
				return
			}
			s = openAt(t, path)
			same(t, "waiting, opened again", must[map[State]int](t)(s.Counts(ctx))[Waiting], 1)
		})
	}
}
