package filing

import (
	"context"
	"errors"
	"fmt"
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
		s.add(filepath.Join(folder, fmt.Sprint(i)), fmt.Sprintf("type%d/%d", i%3, i), s.contentOf(i))
	}
	return s
}

// add writes another document into the inbox, which is to be moved to a target.
func (s *several) add(rel, target string, content []byte) {
	s.t.Helper()
	mv := s.document(s.mv.Root, rel, content)
	mv.Sorted, mv.Target, mv.Tag = s.mv.Sorted, target, filepath.Base(rel)
	s.moves = append(s.moves, mv)
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

func openNow(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}

func TestEachOperationOfSeveralFailsOnce(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOSPC, unix.EIO, unix.EACCES, unix.EPERM, unix.ENOENT} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%v", unix.ErrnoName(errno), after), func(t *testing.T) {
				walk(t, func(t *testing.T, n int) bool {
					s, fired := newSeveral(t, 5, "sub"), false
					m := NewMover(Options{Fault: failing(n, after, errno, &fired, t.Log)})
					m.SyncContents(s.moves)
					failed := 0
					for i, mv := range s.moves {
						if err := m.MoveOrCopy(context.Background(), mv); err != nil {
							failed++
							same(t, "places of the content", len(s.holding(s.contentOf(i))), 1)
							must(t, m.MoveOrCopy(context.Background(), mv))
						}
						s.only(s.contentOf(i), s.at(mv))
					}
					if failed > 1 {
						t.Errorf("%d documents met one failure", failed)
					}
					return fired
				})
			})
		}
	}
}

// The folder of the source is swapped in the moment of the move.
func TestSourceFolderSwapped(t *testing.T) {
	s := newSeveral(t, 2, "a")
	swap := false
	m := s.mover(func(op string) error {
		if op == "rename" && swap {
			swap = false
			must(t, os.Rename(s.mv.Root+"/a", s.mv.Root+"/b"))
			must(t, os.Mkdir(s.mv.Root+"/a", 0o755))
			must(t, os.Rename(s.mv.Root+"/b/1", s.mv.Root+"/a/1"))
			must(t, os.WriteFile(s.mv.Root+"/b/1", []byte("other"), 0o644))
		}
		return nil
	})
	must(t, m.MoveOrCopy(context.Background(), s.moves[0]))
	swap = true
	_ = m.MoveOrCopy(context.Background(), s.moves[1])
	s.only([]byte("other"), s.mv.Root+"/b/1")
	if got := s.holding(s.contentOf(1)); len(got) != 1 {
		t.Errorf("the document is at %q", got)
	}
}

// The path beneath a root may be longer than the kernel accepts in one piece,
// for a move and for a sync of its folder.
func TestMoveFromALongPath(t *testing.T) {
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
	must(t, s.mover(nil).MoveOrCopy(context.Background(), mv))
	must(t, errors.Join(s.mover(nil).SyncFoldersOf([]File{{mv.Root, mv.Source}})...))
	got, err := os.ReadFile(s.at(mv))
	must(t, err)
	same(t, "content", string(got), "x")
}
