package filing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMoveOnEveryTerrain(t *testing.T) {
	for _, tr := range terrains() {
		t.Run(tr.name, func(t *testing.T) {
			w := newWorldIn(t, t.TempDir(), tr.across) // on a real disk
			m := tr.mover(t, nil)
			before := openNow(t)
			if needsCopy := tr.across || tr.lacks["link"] != nil; needsCopy {
				if err := m.Do(t.Context(), w.mv); !errors.Is(err, ErrNeedsCopy) {
					t.Fatalf("Do: %v, want ErrNeedsCopy", err)
				}
				w.only(w.content, w.source())
				must(t, m.Copy(t.Context(), w.mv))
			} else {
				must(t, m.Do(t.Context(), w.mv))
			}
			w.filed()

			// It is done, and stays done.
			outcome, err := m.Resume(t.Context(), w.mv)
			must(t, err)
			same(t, "Resume", outcome, Done)
			must(t, m.MoveOrCopy(context.Background(), w.mv))
			w.filed()

			// Nothing is left open, also where there is nothing to move or to sync.
			w.mv.Source, w.mv.Target = "a/none", "invoice/none"
			if err := m.MoveOrCopy(context.Background(), w.mv); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			must(t, errors.Join(m.SyncFoldersOf([]File{
				{w.mv.Sorted, "x"}, {w.mv.Sorted, "invoice/x"}, {w.mv.Root, "x"}, {w.mv.Root, "a/x"}, {w.mv.Root, "gone/x"},
			})...))
			same(t, "open files", openNow(t), before)
		})
	}
}

func TestMoveNeverOverwrites(t *testing.T) {
	write := func(content string, mode fs.FileMode) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), mode) }
	}
	for _, tr := range terrains() {
		for what, put := range map[string]func(path string) error{
			"file":        write("other", 0o644),
			"empty file":  write("", 0o644),
			"locked file": write("other", 0),
			"equal file":  write(string(wholeContent), 0o644), // somebody's own: its time differs
			"link":        func(path string) error { return os.Symlink("/nowhere", path) },
			"folder":      func(path string) error { return os.Mkdir(path, 0o755) },
			"FIFO":        func(path string) error { return unix.Mkfifo(path, 0o644) },
		} {
			t.Run(tr.name+"/"+what, func(t *testing.T) {
				w := newWorld(t, tr.across)
				must(t, os.Mkdir(filepath.Dir(w.target()), 0o755))
				must(t, put(w.target()))
				before, err := os.Lstat(w.target())
				must(t, err)
				m := tr.mover(t, nil)
				if err := m.MoveOrCopy(context.Background(), w.mv); !errors.Is(err, fs.ErrExist) {
					t.Fatalf("error %v, want fs.ErrExist", err)
				}
				after, err := os.Lstat(w.target())
				must(t, err)
				if !os.SameFile(before, after) || before.Size() != after.Size() {
					t.Error("the target was touched")
				}
				if _, err := os.Stat(w.source()); err != nil {
					t.Error(err)
				}
				if o, err := m.Resume(context.Background(), w.mv); o != Taken || err != nil {
					t.Errorf("Resume: %v, %v; want taken", o, err)
				}
				w.tidy()
				w.mv.Target = "invoice/scan-2.pdf"
				must(t, m.MoveOrCopy(context.Background(), w.mv))
			})
		}
	}
}

func TestMoveOfWhatIsNotMeant(t *testing.T) {
	w := newWorld(t, false)
	m := NewMover(Options{})
	ctx := context.Background()
	do := func(want error) {
		t.Helper()
		if err := m.MoveOrCopy(ctx, w.mv); !errors.Is(err, want) {
			t.Fatalf("error %v, want %v", err, want)
		}
	}
	// Replaced by other content of the same size.
	other := append([]byte("x"), w.content[1:]...)
	must(t, os.WriteFile(w.source()+"~", other, documentMode))
	must(t, os.Rename(w.source()+"~", w.source()))
	do(ErrChanged)
	w.only(other, w.source())
	// Grown.
	must(t, os.WriteFile(w.source(), append(w.content, 'x'), documentMode))
	do(ErrChanged)
	// Without a hash another time is another file.
	must(t, os.WriteFile(w.source(), w.content, documentMode))
	sum := w.mv.SHA256
	w.mv.SHA256 = nil
	do(ErrChanged)
	// A link, a FIFO in its place.
	must(t, os.Remove(w.source()))
	must(t, os.Symlink(w.mv.Root, w.source()))
	do(ErrChanged)
	must(t, os.Remove(w.source()))
	must(t, unix.Mkfifo(w.source(), 0o644))
	do(ErrChanged)
	// Gone.
	must(t, os.Remove(w.source()))
	do(fs.ErrNotExist)
	if o, err := m.Resume(ctx, w.mv); o != Lost || err != nil {
		t.Fatalf("Resume: %v, %v; want lost", o, err)
	}
	must(t, os.Remove(filepath.Dir(w.source())))
	do(fs.ErrNotExist)
	// The inbox away: that says nothing of the document.
	must(t, os.Remove(w.mv.Root))
	do(ErrNoRoot)
	if err := m.MoveOrCopy(ctx, w.mv); errors.Is(err, fs.ErrNotExist) || !DiskTrouble(err) {
		t.Fatalf("a missing inbox reads as a missing document: %v", err)
	}
	if _, err := m.Resume(ctx, w.mv); !errors.Is(err, ErrNoRoot) {
		t.Fatalf("Resume without inbox: %v", err)
	}
	must(t, os.MkdirAll(filepath.Dir(w.source()), 0o755))
	w.mv = w.document(w.mv.Root, w.mv.Source, w.content)
	w.mv.Sorted, w.mv.Target, w.mv.Tag, w.mv.SHA256 = filepath.Join(w.mv.Root, "../none"), "x/y", "t", sum
	do(ErrNoRoot)
}

// The same content at the same place is the same document, whatever device
// number a reboot, or time a touch, gave it.
func TestMoveByHash(t *testing.T) {
	for _, across := range []bool{false, true} {
		w := newWorld(t, across)
		w.mv.Identity.Device++
		w.mv.Identity.ChangeTime--
		err := NewMover(Options{}).MoveOrCopy(context.Background(), w.mv)
		must(t, err)
		w.filed()
	}
}

func TestMoveWaitsForAWriter(t *testing.T) {
	w := newWorld(t, false)
	m := NewMover(Options{})
	f, err := os.OpenFile(w.source(), os.O_WRONLY, 0)
	must(t, err)
	if err := m.MoveOrCopy(context.Background(), w.mv); !errors.Is(err, ErrBusy) {
		t.Fatalf("error %v, want ErrBusy", err)
	}
	must(t, f.Close())
	must(t, m.MoveOrCopy(context.Background(), w.mv))
	w.filed()
}

func TestMoveRefusesWhatPointsOutside(t *testing.T) {
	w := newWorld(t, false)
	m := NewMover(Options{})
	good := w.mv
	for _, bad := range []string{"", ".", "..", "../x", "a/../../x", "/etc/x", "a\x00b", "a/.."} {
		from, to := good, good
		from.Source, to.Target = bad, bad
		for _, mv := range []Move{from, to} {
			if err := m.MoveOrCopy(context.Background(), mv); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%q to %q: %v", mv.Source, mv.Target, err)
			}
		}
	}
	for _, tag := range []string{"", "a/b", string(make([]byte, 300))} {
		mv := good
		mv.Tag = tag
		if _, err := m.Resume(t.Context(), mv); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("tag %q: %v", tag, err)
		}
	}
	// A folder on the way that leads elsewhere.
	outside := fastDir(t)
	must(t, os.Symlink(outside, filepath.Join(good.Sorted, "invoice")))
	if err := m.MoveOrCopy(context.Background(), good); !errors.Is(err, ErrNotFolder) {
		t.Errorf("target through a link: %v", err)
	}
	if err := m.WriteFile(good.Sorted, "invoice/x.json", nil, 0o644); !errors.Is(err, ErrNotFolder) {
		t.Errorf("file through a link: %v", err)
	}
	same(t, "written outside", names(t, outside), "")
	must(t, os.Rename(filepath.Join(good.Root, "a"), filepath.Join(outside, "a")))
	must(t, os.Symlink(filepath.Join(outside, "a"), filepath.Join(good.Root, "a")))
	good.Target = "other/scan.pdf"
	if err := m.MoveOrCopy(context.Background(), good); !errors.Is(err, ErrNotRegular) || !errors.Is(err, ErrChanged) {
		t.Errorf("source through a link: %v", err)
	}
}

func TestCancelledCopyLeavesNothing(t *testing.T) {
	w := newWorld(t, true)
	ctx, cancel := context.WithCancel(context.Background())
	writes := 0
	m := moverAt("write", true, func() error { writes++; cancel(); return nil })
	if err := m.MoveOrCopy(ctx, w.mv); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want Canceled", err)
	}
	same(t, "writes", writes, 1)
	w.only(w.content, w.source())
	w.finish(NewMover(Options{}))
}

func TestFiftyOfOneName(t *testing.T) {
	for _, tr := range terrains() {
		t.Run(tr.name, func(t *testing.T) {
			w := newWorld(t, tr.across)
			m := tr.mover(t, nil)
			const n = 50
			var group sync.WaitGroup
			for i := range n {
				must(t, os.Mkdir(filepath.Join(w.mv.Root, fmt.Sprint(i)), 0o755))
				mv := w.document(w.mv.Root, fmt.Sprintf("%d/scan.pdf", i), fmt.Appendf(nil, "document %d", i))
				mv.Sorted, mv.Tag = w.mv.Sorted, fmt.Sprint("n", i)
				group.Go(func() {
					for err := fs.ErrExist; errors.Is(err, fs.ErrExist); {
						name, nameErr := FreeName(filepath.Join(mv.Sorted, "t"), "scan.pdf", nil, nil)
						mv.Target = "t/" + name
						if err = errors.Join(nameErr, m.MoveOrCopy(t.Context(), mv)); err != nil && !errors.Is(err, fs.ErrExist) {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			for i := range n {
				if got := w.holding(fmt.Appendf(nil, "document %d", i)); len(got) != 1 ||
					filepath.Dir(got[0]) != filepath.Join(w.mv.Sorted, "t") {
					t.Errorf("document %d is at %q", i, got)
				}
			}
			w.tidy()
		})
	}
}

// A hash that is not the content's: what was identified was something else.
func TestCopyComparesTheHash(t *testing.T) {
	w := newWorld(t, true)
	w.mv.SHA256 = make([]byte, 32)
	if err := NewMover(Options{}).MoveOrCopy(context.Background(), w.mv); !errors.Is(err, ErrChanged) {
		t.Fatalf("error %v, want ErrChanged", err)
	}
	w.only(w.content, w.source())
}

// Without a hash, a source written to while it was read gets no name.
func TestCopyOfAChangingFile(t *testing.T) {
	w := newWorld(t, true)
	w.mv.SHA256 = nil
	err := NewMover(Options{Fault: func(op string, done bool) error {
		if op == "write" && !done {
			must(t, os.Truncate(w.source(), 5))
		}
		if op == "rename copy" {
			t.Error("named")
		}
		return nil
	}}).MoveOrCopy(context.Background(), w.mv)
	if !errors.Is(err, ErrChanged) {
		t.Fatalf("error %v, want ErrChanged", err)
	}
	w.only(w.content[:5], w.source())
}
