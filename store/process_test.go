package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSecondDaemonIsRefused(t *testing.T) {
	s := openNew(t)
	link := filepath.Join(t.TempDir(), "link.db")
	check1(t, os.Symlink(s.path, link))
	for name, path := range map[string]string{"the path": s.path, "a link": link} {
		if _, says := startChild(t, "daemon", path, nil); !strings.Contains(says, "already running") {
			t.Errorf("in another process, by %s: %q", name, says)
		}
	}
	if _, err := Open(ctx, Config{Path: s.path}); !errors.Is(err, ErrRunning) {
		t.Errorf("in the same process: %v", err)
	}
	check1(t, os.Remove(s.path+"-lock")) // taken for a stale one
	if _, err := Open(ctx, Config{Path: s.path}); !errors.Is(err, ErrRunning) {
		t.Errorf("without the lock file: %v", err)
	}
	admit(t, s, found("a", "a")) // which does not disturb the first one
}

// Whoever can read the files gets the report, whatever the daemon does.
func TestReaderSees(t *testing.T) {
	member := &syscall.Credential{Uid: 65534, Gid: uint32(os.Getgid())}
	for _, c := range []struct {
		name string
		user *syscall.Credential
	}{{"the owner", nil}, {"a member of the group", member}} {
		t.Run(c.name, func(t *testing.T) {
			if c.user != nil && os.Geteuid() != 0 {
				t.Skip("needs root, to be another user")
			}
			path := filepath.Join(publicFolder(t), "docusort.db")
			see := func(when, want string) {
				t.Helper()
				if _, says := startChild(t, "read", path, c.user); says != want {
					t.Errorf("%s: %q, want %q", when, says, want)
				}
			}
			see("before there is anything", "error: there is no database yet: "+path)
			daemon, says := startChild(t, "daemon", path, nil)
			if says != "ready" {
				t.Fatal(says)
			}
			see("while it runs", "3 waiting, running true, held true")
			kill(daemon)
			see("after it was killed", "3 waiting, running false, held false")
			s := openAt(t, path)
			admit(t, s, found("more", "more"))
			see("while the next one runs", "4 waiting, running true, held true")
			check1(t, s.Close())
			if fi, err := os.Stat(path + "-wal"); err != nil || fi.Size() != 0 {
				t.Errorf("the -wal file of a closed database: %v, %v", fi, err)
			}
			see("after it was stopped", "4 waiting, running false, held false")
			see("once more", "4 waiting, running false, held false")
			for _, name := range []string{"-wal", "-shm"} { // as sqlite3 does, or a backup
				check1(t, os.Remove(path+name))
			}
			see("without the files beside it", "4 waiting, running false, held false")
			check1(t, errors.Join(os.Remove(path+"-lock"), os.Remove(path+"-running")))
			see("without the locks", "4 waiting, running false, held false")
		})
	}
}

// The status page reads in the daemon's own process, where SQLite's locks are
// shared and closing one file must not drop those of another.
func TestReaderInTheDaemonsProcess(t *testing.T) {
	s := openNew(t)
	check1(t, s.Started(ctx, 1))
	admit(t, s, found("a", "a"))
	r := must[*Reader](t)(OpenReader(ctx, s.path))
	admit(t, s, found("b", "b"))
	if n := must[Summary](t)(r.Summary(ctx, Filter{})).Totals[Waiting]; n != 1 {
		t.Errorf("it sees %d documents, want the 1 of its moment", n)
	}
	if d := must[Daemon](t)(r.Daemon(ctx)); !d.Running || d.PID != 1 {
		t.Errorf("daemon: %+v", d)
	}
	check1(t, r.Close())
	if _, says := startChild(t, "daemon", s.path, nil); !strings.Contains(says, "already running") {
		t.Errorf("the lock is gone: %q", says)
	}
	r = must[*Reader](t)(OpenReader(ctx, s.path))
	defer r.Close()
	if n := must[Summary](t)(r.Summary(ctx, Filter{})).Totals[Waiting]; n != 2 {
		t.Errorf("a new one sees %d documents, want 2", n)
	}
}

// Without the files beside it the database must stand still while it is read;
// where it does not, there is an error and no wrong report.
func TestReaderNoticesADaemonThatStarts(t *testing.T) {
	s := openNew(t)
	check1(t, s.Close())
	fi := must[os.FileInfo](t)(os.Stat(s.path))
	for _, name := range []string{"-wal", "-shm"} {
		check1(t, os.Remove(s.path+name))
	}
	r := &Reader{path: s.path, at: fi}
	check1(t, r.begin(ctx, "immutable", "1"))
	defer r.Close()
	if _, err := r.Summary(ctx, Filter{}); err != nil {
		t.Error(err)
	}
	openAt(t, s.path)
	if _, err := r.Summary(ctx, Filter{}); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("summary: %v", err)
	}
	if err := r.Documents(ctx, Filter{}, func(*Document) error { return nil }); err == nil {
		t.Error("documents: no error")
	}
	if _, err := r.Daemon(ctx); err == nil {
		t.Error("daemon: no error")
	}
}
