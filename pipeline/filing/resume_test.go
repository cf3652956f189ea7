package filing

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What a killed run can leave, made by hand, with other people's files among
// it where a race put them.
func TestResume(t *testing.T) {
	theirs := []byte("somebody else's")
	put := func(w *world, path string, content []byte) {
		w.t.Helper()
		must(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(w.t, os.WriteFile(path, content, 0o644))
	}
	copyTo := func(w *world, path string) {
		w.t.Helper()
		put(w, path, w.content)
		must(w.t, os.Chtimes(path, documentTime, documentTime))
	}
	in := func(path, name string) string { return filepath.Join(filepath.Dir(path), name) }
	for _, c := range []struct {
		name  string
		leave func(*world)
		want  Outcome
		// Where the document and the other file are afterwards; "" for
		// nowhere.
		ours, other func(*world) string
	}{
		{"nothing", func(*world) {}, NotStarted, (*world).source, nil},
		{"half a copy", func(w *world) {
			put(w, in(w.target(), w.mv.copyName()), w.content[:99])
		}, NotStarted, (*world).source, nil},
		{"a copy, and its name reserved without permissions", func(w *world) {
			put(w, in(w.target(), w.mv.copyName()), w.content)
			put(w, w.target(), nil)
		}, NotStarted, (*world).source, nil},
		{"a whole copy, source there", func(w *world) { copyTo(w, w.target()) }, Done, (*world).target, nil},
		{"a whole copy, source claimed", func(w *world) {
			copyTo(w, w.target())
			must(w.t, os.Rename(w.source(), in(w.source(), w.mv.sourceClaim())))
		}, Done, (*world).target, nil},
		{"a link, source there", func(w *world) {
			must(w.t, os.Mkdir(filepath.Dir(w.target()), 0o755))
			must(w.t, os.Link(w.source(), w.target()))
		}, Done, (*world).target, nil},
		{"a link, source claimed", func(w *world) {
			must(w.t, os.Mkdir(filepath.Dir(w.target()), 0o755))
			must(w.t, os.Link(w.source(), w.target()))
			must(w.t, os.Rename(w.source(), in(w.source(), w.mv.sourceClaim())))
		}, Done, (*world).target, nil},
		{"claimed, nothing at the target", func(w *world) {
			must(w.t, os.Rename(w.source(), in(w.source(), w.mv.sourceClaim())))
		}, NotStarted, (*world).source, nil},
		{"copy being taken back, source there", func(w *world) {
			copyTo(w, in(w.target(), w.mv.targetClaim()))
		}, NotStarted, (*world).source, nil},
		{"copy being taken back, source gone", func(w *world) {
			copyTo(w, in(w.target(), w.mv.targetClaim()))
			must(w.t, os.Remove(w.source()))
		}, Done, (*world).target, nil},
		{"somebody's file claimed at the target", func(w *world) {
			put(w, in(w.target(), w.mv.targetClaim()), theirs)
		}, Taken, (*world).source, (*world).target},
		{"somebody's file claimed at the source", func(w *world) {
			copyTo(w, w.target())
			must(w.t, os.Remove(w.source()))
			put(w, in(w.source(), w.mv.sourceClaim()), theirs)
		}, Done, (*world).target, (*world).source},
		{"somebody's equal file at the target, of their own time", func(w *world) {
			put(w, w.target(), append(bytes.Clone(w.content[1:]), 'x'))
		}, Taken, (*world).source, nil},
		{"a new document at the source", func(w *world) {
			copyTo(w, w.target())
			put(w, w.source()+"~", theirs)
			must(w.t, os.Rename(w.source()+"~", w.source()))
		}, Done, (*world).target, (*world).source},
		{"both gone", func(w *world) { must(w.t, os.Remove(w.source())) }, Lost, nil, nil},
		{"source gone, another target", func(w *world) {
			must(w.t, os.Remove(w.source()))
			put(w, w.target(), theirs)
		}, Lost, nil, (*world).target},
		{"moved, then edited", func(w *world) {
			must(w.t, os.Mkdir(filepath.Dir(w.target()), 0o755))
			must(w.t, os.Rename(w.source(), w.target()))
			put(w, w.target(), theirs)
		}, Done, nil, (*world).target},
		{"linked, then edited", func(w *world) {
			must(w.t, os.Mkdir(filepath.Dir(w.target()), 0o755))
			must(w.t, os.Link(w.source(), w.target()))
			put(w, w.source(), theirs)
		}, NotStarted, nil, (*world).source},
		{"inbox subfolder gone", func(w *world) {
			copyTo(w, w.target())
			must(w.t, os.RemoveAll(filepath.Dir(w.source())))
		}, Done, (*world).target, nil},
	} {
		for _, hash := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				w := newWorld(t, false)
				if !hash {
					w.mv.SHA256 = nil
				}
				c.leave(w)
				for range 2 { // it is the same the second time
					got, err := NewMover(Options{}).Resume(context.Background(), w.mv)
					must(t, err)
					if got != c.want {
						t.Fatalf("%v, want %v", got, c.want)
					}
					for _, x := range []struct {
						content []byte
						at      func(*world) string
					}{{w.content, c.ours}, {theirs, c.other}} {
						if x.at != nil {
							w.only(x.content, x.at(w))
						}
					}
					w.tidy()
				}
			})
			if c.ours == nil || c.want == Taken {
				continue
			}
			t.Run(c.name+", Do at once", func(t *testing.T) {
				w := newWorld(t, false)
				if !hash {
					w.mv.SHA256 = nil
				}
				c.leave(w)
				err := NewMover(Options{}).MoveOrCopy(context.Background(), w.mv)
				must(t, err)
				w.only(w.content, w.target())
			})
		}
	}
}

// An equal document that came to the source's place after the move is one of its
// own, and stays.
func TestResumeLeavesAnEqualDocument(t *testing.T) {
	rename := func(w *world) { must(w.t, os.Rename(w.source(), w.target())) }
	write := func(w *world, path string) {
		must(w.t, os.WriteFile(path, w.content, 0o644))
		must(w.t, os.Chtimes(path, documentTime, documentTime.Add(time.Second)))
	}
	copied := func(w *world) {
		must(w.t, os.WriteFile(w.target(), w.content, 0o644))
		must(w.t, os.Chtimes(w.target(), documentTime, documentTime))
	}
	for name, leave := range map[string]func(*world){
		"moved": func(w *world) { rename(w); write(w, w.source()) },
		"copied": func(w *world) {
			copied(w)
			write(w, w.source()+"~")
			must(w.t, os.Rename(w.source()+"~", w.source()))
		},
		"copied, and the inode used again": func(w *world) { copied(w); write(w, w.source()) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			must(t, os.Mkdir(filepath.Dir(w.target()), 0o755))
			leave(w)
			for range 2 {
				if got, err := NewMover(Options{}).Resume(context.Background(), w.mv); err != nil || got != Done {
					t.Fatalf("%v, %v; want %v", got, err, Done)
				}
				if at := w.holding(w.content); !slices.Equal(at, []string{w.source(), w.target()}) {
					t.Fatalf("the documents are at %q", at)
				}
				w.tidy()
			}
		})
	}
}
