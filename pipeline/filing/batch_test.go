package filing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// several are documents that are moved together.
type several struct {
	world
	moves []Move
	ops   []string
}

func newSeveral(t *testing.T, n int, folder string) *several {
	t.Helper()
	base := fastDir(t)
	root, sorted := filepath.Join(base, "inbox"), filepath.Join(base, "sorted")
	must(t, os.MkdirAll(filepath.Join(root, folder), 0o755))
	must(t, os.Mkdir(sorted, 0o755))
	s := &several{world: world{t: t, mv: Move{Root: root, Sorted: sorted}}}
	for i := range n {
		mv := s.document(root, filepath.Join(folder, fmt.Sprint(i)), s.contentOf(i))
		mv.Sorted, mv.Target, mv.Tag, mv.Fresh = sorted, fmt.Sprintf("type%d/%d", i%3, i), fmt.Sprint(i), true
		s.moves = append(s.moves, mv)
	}
	return s
}

func (s *several) contentOf(i int) []byte { return fmt.Appendf(nil, "content of %d", i) }

func (s *several) at(mv Move) string { return filepath.Join(mv.Sorted, mv.Target) }

// mover notes the operations; fault sees each before it is done.
func (s *several) mover(fault func(op string) error) *Mover {
	return NewMover(Options{Fault: func(op string, done bool) error {
		if done {
			return nil
		}
		s.ops = append(s.ops, op)
		if fault != nil {
			return fault(op)
		}
		return nil
	}})
}

func (s *several) count(op string) (n int) {
	for _, o := range s.ops {
		if o == op {
			n++
		}
	}
	return n
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func openNow(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}

func TestBatchClosesWhatItOpens(t *testing.T) {
	for _, tr := range terrains() {
		t.Run(tr.name, func(t *testing.T) {
			w := newWorld(t, tr.across)
			before := openNow(t)
			m := tr.mover(t, nil)
			_, err := m.Do(context.Background(), w.mv)
			must(t, err)
			_, err = m.Do(context.Background(), w.mv) // done already
			must(t, err)
			w.mv.Source, w.mv.Target = "a/none", "invoice/none"
			if _, err = m.Do(context.Background(), w.mv); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			deep := w.document(w.mv.Root, "a/deep", []byte("x"))
			deep.Sorted, deep.Target, deep.Tag = w.mv.Sorted, strings.Repeat("d/", deepest+2)+"x", "8"
			_, err = m.Do(context.Background(), deep)
			must(t, err)
			must(t, errors.Join(m.SyncFoldersOf([]File{
				{w.mv.Sorted, "x"}, {w.mv.Sorted, "invoice/x"}, {w.mv.Root, "x"}, {w.mv.Root, "a/x"}, {w.mv.Root, "gone/x"},
			})...))
			same(t, "open files", openNow(t), before)
		})
	}
}

func TestEachOperationOfABatchFailsOnce(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOSPC, unix.EIO, unix.EACCES, unix.EPERM, unix.ENOENT} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%v", unix.ErrnoName(errno), after), func(t *testing.T) {
				walk(t, func(t *testing.T, n int) bool {
					s, fired := newSeveral(t, 5, "sub"), false
					m := NewMover(Options{Fault: failing(n, after, errno, &fired, t.Log)})
					b := m.Batch()
					b.SyncContents(s.moves)
					failed := 0
					for i, mv := range s.moves {
						if _, err := b.Do(context.Background(), mv); err != nil {
							t.Log(err)
							failed++
							same(t, "places of the content", len(s.holding(s.contentOf(i))), 1)
							_, err := b.Do(context.Background(), mv)
							must(t, err)
						}
						s.only(s.contentOf(i), s.at(mv))
					}
					b.Close()
					if failed > 1 {
						t.Errorf("%d documents met one failure", failed)
					}
					return fired
				})
			})
		}
	}
}

// Folders are not held on to where others take their place.
func TestBatchWhileFoldersChange(t *testing.T) {
	away := func(s *several, path string) {
		must(s.t, os.Rename(path, path+" away"))
	}
	for _, c := range []struct {
		name, folder string
		act          func(s *several)
		want         error
		again        bool // the document is found where another sorted is
	}{
		{"sorted away", "", func(s *several) { away(s, s.mv.Sorted) }, ErrNoRoot, false},
		{"another sorted", "", func(s *several) { away(s, s.mv.Sorted); must(s.t, os.Mkdir(s.mv.Sorted, 0o755)) }, nil, true},
		{"type away", "", func(s *several) { away(s, s.mv.Sorted+"/type0") }, nil, true},
		{"type a link", "", func(s *several) {
			away(s, s.mv.Sorted+"/type0")
			must(s.t, os.Symlink(s.mv.Sorted+"/type0 away", s.mv.Sorted+"/type0"))
		}, ErrNotFolder, false},
		{"inbox away", "", func(s *several) { away(s, s.mv.Root) }, ErrNoRoot, false},
		{"another inbox", "", func(s *several) { away(s, s.mv.Root); must(s.t, os.Mkdir(s.mv.Root, 0o755)) }, fs.ErrNotExist, false},
		{"folder away", "a/b", func(s *several) { away(s, s.mv.Root+"/a") }, fs.ErrNotExist, false},
		{"folder a link", "a/b", func(s *several) {
			away(s, s.mv.Root+"/a")
			must(s.t, os.Symlink(s.mv.Root+"/a away", s.mv.Root+"/a"))
		}, ErrNotRegular, false},
		{"folder made anew", "a/b", func(s *several) {
			away(s, s.mv.Root+"/a")
			must(s.t, os.MkdirAll(s.mv.Root+"/a/b", 0o755))
			must(s.t, os.Rename(s.mv.Root+"/a away/b/3", s.mv.Root+"/a/b/3"))
		}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSeveral(t, 4, c.folder)
			b := s.mover(nil).Batch()
			defer b.Close()
			_, err := b.Do(context.Background(), s.moves[0])
			must(t, err)
			c.act(s)
			_, err = b.Do(context.Background(), s.moves[3]) // of the same type
			if !errors.Is(err, c.want) || c.again != (err == nil) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			_, lies := os.Lstat(s.at(s.moves[3]))
			if c.again != (lies == nil) {
				t.Errorf("at the target: %v", lies)
			}
		})
	}
}

// The folder of the source is swapped in the moment of the move.
func TestSourceFolderSwapped(t *testing.T) {
	s := newSeveral(t, 2, "a")
	swap := false
	b := s.mover(func(op string) error {
		if op == "rename" && swap {
			swap = false
			must(t, os.Rename(s.mv.Root+"/a", s.mv.Root+"/b"))
			must(t, os.Mkdir(s.mv.Root+"/a", 0o755))
			must(t, os.Rename(s.mv.Root+"/b/1", s.mv.Root+"/a/1"))
			must(t, os.WriteFile(s.mv.Root+"/b/1", []byte("other"), 0o644))
		}
		return nil
	}).Batch()
	defer b.Close()
	_, err := b.Do(context.Background(), s.moves[0])
	must(t, err)
	swap = true
	_, err = b.Do(context.Background(), s.moves[1])
	t.Log(err)
	s.only([]byte("other"), s.mv.Root+"/b/1")
	if got := s.holding(s.contentOf(1)); len(got) != 1 {
		t.Errorf("the document is at %q", got)
	}
}

func TestBatchFreeName(t *testing.T) {
	s := newSeveral(t, 0, "")
	b := s.mover(nil).Batch()
	defer b.Close()
	taken := map[string]bool{"scan-2.pdf": true}
	name, err := b.FreeName(s.mv.Sorted, "a/b", "scan.pdf", nil, nil)
	must(t, err)
	same(t, "first", name, "scan.pdf")
	must(t, os.WriteFile(filepath.Join(s.mv.Sorted, "a/b/scan.pdf"), nil, 0o644))
	must(t, os.Symlink("nowhere", filepath.Join(s.mv.Sorted, "a/b/scan-3.pdf.json")))
	name, err = b.FreeName(s.mv.Sorted, "a/b", "scan.pdf", []string{".json"}, func(n string) bool { return taken[n] })
	must(t, err)
	same(t, "next", name, "scan-4.pdf")
	if _, err := b.FreeName(s.mv.Sorted, "a", "x/y", nil, nil); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a name with a slash: %v", err)
	}
	must(t, os.Symlink("a", filepath.Join(s.mv.Sorted, "link")))
	if _, err := b.FreeName(s.mv.Sorted, "link", "x", nil, nil); !errors.Is(err, ErrNotFolder) {
		t.Errorf("through a link: %v", err)
	}
}

// A name is found again where the whole way to it is longer than a path may be.
func TestBatchLongPath(t *testing.T) {
	s := newSeveral(t, 0, "")
	deep := strings.Repeat(strings.Repeat("d", 249)+"/", 16) + strings.Repeat("d", 90)
	in, err := os.OpenRoot(s.mv.Root)
	must(t, err)
	defer in.Close()
	must(t, in.MkdirAll(deep, 0o755))
	must(t, in.WriteFile(deep+"/scan.pdf", []byte("x"), documentMode))
	id, err := Stat(s.mv.Root, deep+"/scan.pdf")
	must(t, err)
	mv := Move{Root: s.mv.Root, Source: deep + "/scan.pdf", Identity: id, Sorted: s.mv.Sorted, Target: "t/scan.pdf", Tag: "1"}
	if len(mv.Source) < unix.PathMax {
		t.Fatalf("%d bytes are no long path", len(mv.Source))
	}
	_, err = s.mover(nil).Do(context.Background(), mv)
	must(t, err)
	got, err := os.ReadFile(s.at(mv))
	must(t, err)
	same(t, "content", string(got), "x")
}

// What an earlier try left is cleared away, although the move would do without.
func TestLeftOverOfAnEarlierTry(t *testing.T) {
	w := newWorld(t, false)
	must(t, os.Mkdir(filepath.Dir(w.target()), 0o755))
	must(t, os.Link(w.source(), filepath.Join(filepath.Dir(w.target()), w.mv.targetClaim())))
	_, err := NewMover(Options{}).Do(context.Background(), w.mv)
	must(t, err)
	w.filed()
}
