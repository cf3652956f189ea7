package filing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestSyncFoldersOf(t *testing.T) {
	s := newSeveral(t, 0, "a/b")
	files := []File{
		{s.mv.Root, "x"}, {s.mv.Root, "a/x"}, {s.mv.Root, "a/y"}, {s.mv.Root, "a/b/x"}, {s.mv.Sorted, "x"},
		{s.mv.Root, "../x"}, {s.mv.Root, "gone/x"}, {s.mv.Root + "/none", "x"},
	}
	want := func(what string, errs []error) {
		t.Helper()
		for i, err := range errs {
			switch i {
			case 5:
				if !errors.Is(err, fs.ErrInvalid) {
					t.Errorf("%s: outside: %v", what, err)
				}
			case 7:
				if !errors.Is(err, ErrNoRoot) {
					t.Errorf("%s: without the root: %v", what, err)
				}
			default:
				if err != nil {
					t.Errorf("%s: %v: %v", what, files[i], err)
				}
			}
		}
	}
	want("at once", s.mover(nil).SyncFoldersOf(files))
	same(t, "syncs of all", s.count("sync filesystem"), 1)
	same(t, "folders synced with all", s.count("fsync folder"), 3) // those that are not there

	// An error of all is that of none.
	s.ops = nil
	want("one by one", s.mover(func(op string) error {
		if op == "sync filesystem" {
			return unix.EIO
		}
		return nil
	}).SyncFoldersOf(files))
	same(t, "syncs of a folder", s.count("fsync folder"), 7)

	// One of a folder is that of all files in it.
	s.ops = nil
	errs := s.mover(func(op string) error { return unix.EIO }).SyncFoldersOf(files[:5])
	for i, err := range errs {
		if !errors.Is(err, unix.EIO) {
			t.Errorf("%v: %v", files[i], err)
		}
	}
	same(t, "syncs of four folders", s.count("fsync folder"), 4)

	s.ops = nil
	want("few", s.mover(nil).SyncFoldersOf(files[:3]))
	same(t, "operations for two folders", strings.Join(s.ops, ", "), "fsync folder, fsync folder")
}

func TestRestful(t *testing.T) {
	var r restful
	at := time.Now()
	r.took(at, at.Add(longSync-1))
	same(t, "after a quick one", r.may(at.Add(longSync)), true)
	r.took(at, at.Add(2*longSync))
	end := at.Add(2 * longSync)
	same(t, "after a long one", r.may(end), false)
	same(t, "a little later", r.may(end.Add(2*longSync*syncRest-1)), false)
	same(t, "much later", r.may(end.Add(2*longSync*syncRest)), true)
	// It is asked.
	s := newSeveral(t, fewContents, "")
	m := s.mover(nil)
	m.wholeSync.until = time.Now().Add(time.Hour)
	b := m.Batch()
	defer b.Close()
	same(t, "contents", b.SyncContents(s.moves), false)
	_ = m.SyncFoldersOf([]File{{s.mv.Root, "x"}, {s.mv.Sorted, "x"}, {filepath.Dir(s.mv.Root), "x"}})
	same(t, "syncs of all", s.count("sync filesystem"), 0)
}

func TestLongSyncIsNotedAndNotRepeated(t *testing.T) {
	s := newSeveral(t, fewContents, "")
	synctest.Test(t, func(t *testing.T) {
		b := s.mover(func(string) error { time.Sleep(longSync); return nil }).Batch()
		defer b.Close()
		same(t, "the first", b.SyncContents(s.moves), true)
		same(t, "right after it", b.SyncContents(s.moves), false)
		time.Sleep(longSync * syncRest)
		same(t, "later", b.SyncContents(s.moves), true)
	})
}

func TestAtLeast(t *testing.T) {
	for release, want := range map[string]bool{
		"5.17.0": true, "5.17": true, "5.17-rc1": true, "6.1.0-13-amd64": true, "10.0": true,
		"5.16.20": false, "5.4": false, "4.19.0": false, "": false, "x": false, "6": false,
	} {
		same(t, release, atLeast(release, 5, 17), want)
	}
}

// The kinds of filesystem that are synced whole are among those of this machine.
func TestSyncsWhole(t *testing.T) {
	d, err := openRoot("/proc")
	must(t, err)
	defer d.close()
	same(t, "/proc", syncsWhole(d.fd), false)
	var ok []string
	for _, path := range []string{"/dev/shm", os.TempDir()} {
		d, err := openRoot(path)
		must(t, err)
		if syncsWhole(d.fd) {
			ok = append(ok, path)
		}
		d.close()
	}
	if !slices.Contains(ok, "/dev/shm") {
		t.Skipf("no filesystem in memory at /dev/shm; synced whole: %q", ok)
	}
}
