package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// fillWAL stores n changes of 60 kB.
func fillWAL(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		check1(t, s.SetHold(ctx, &Hold{Kind: HoldRate, Reason: strings.Repeat(fmt.Sprint(i%10), 60000)}))
	}
}

// A program that keeps a read transaction open is warned about once, and again
// when the file has doubled or grows anew.
func TestGrowingWALIsWarnedAbout(t *testing.T) {
	defer func(n int64) { walWarning = n }(walWarning)
	walWarning = 1 << 20
	var log bytes.Buffer
	s := must[*Store](t)(Open(ctx, Config{
		Path: quickFolder(t) + "/docusort.db", Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	defer s.Close()
	check1(t, s.Started(ctx, 1))
	warnings := func(fill int) int {
		t.Helper()
		fillWAL(t, s, fill/60000)
		check1(t, s.write(ctx, func(*tx) error { return nil })) // the warning follows the commit
		return strings.Count(log.String(), "a program keeps a read transaction open")
	}
	same(t, "warnings of a small file", warnings(900_000), 0)
	reader(t, s)
	if n := warnings(400_000); n != 1 || !strings.Contains(log.String(), s.path+"-wal") {
		t.Errorf("%d warnings: %s", n, log.String())
	}
	same(t, "warnings of the same", warnings(400_000), 1)
	same(t, "warnings of twice the size", warnings(1_000_000), 2)
}

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
