package filing

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lacking returns a Mover on a filesystem that lacks these operations, and what it logs.
func lacking(errs map[string]error) (*Mover, *bytes.Buffer) {
	var log bytes.Buffer
	return NewMover(Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Fault: func(op string, done bool) error {
			if done {
				return nil
			}
			return errs[op]
		},
	}), &log
}

// CIFS with uid= and FAT refuse to set attributes, for ever: documents are filed without
// them, and the log says it once.
func TestRefusedAttributes(t *testing.T) {
	for _, refusal := range []error{unix.EPERM, unix.EACCES, unix.ENOSYS, unix.EOPNOTSUPP, unix.EINVAL} {
		for _, across := range []bool{false, true} {
			w := newWorld(t, across)
			errs := make(map[string]error)
			for _, op := range []string{"chmod", "utimes", "chown", "chown group", "chmod source", "chmod new file"} {
				errs[op] = refusal
			}
			m, log := lacking(errs)
			for _, name := range []string{"1.pdf", "2.pdf"} {
				content := []byte(name)
				mv := w.document(w.mv.Root, name, content)
				mv.Sorted, mv.Target, mv.Tag = w.mv.Sorted, "invoice/"+name, name
				must(t, os.Chmod(filepath.Join(mv.Root, name), 0o666))
				must(t, m.MoveOrCopy(t.Context(), mv))
				must(t, m.WriteFile(mv.Sorted, mv.Target+".json", []byte("{}"), 0o640))
				w.only(content, filepath.Join(mv.Sorted, mv.Target))
			}
			same(t, "warnings", strings.Count(log.String(), "level=WARN"), 1)
		}
	}
}

// What is trouble of the disk is no refusal.
func TestAttributesOnAFailingDisk(t *testing.T) {
	for _, op := range []string{"chmod", "utimes"} {
		w := newWorld(t, true)
		m, _ := lacking(map[string]error{op: unix.EIO})
		if err := m.MoveOrCopy(t.Context(), w.mv); !errors.Is(err, unix.EIO) {
			t.Errorf("%s: %v, want EIO", op, err)
		}
		w.only(w.content, w.source())
	}
}

// A link that failed, whatever the error, leads to a copy; a name that is taken does not.
func TestLinkFailsInAnyWay(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.ENOTSUP, unix.EMLINK, unix.ENOENT, unix.EREMOTEIO, unix.EXDEV} {
		w := newWorld(t, false)
		errs := map[string]error{"link": errno, "rename copy by link": errno}
		for _, op := range []string{"rename", "rename copy", "put back"} {
			errs[op] = unix.EINVAL
		}
		m, _ := lacking(errs)
		if err := m.Do(t.Context(), w.mv); !errors.Is(err, ErrNeedsCopy) {
			t.Errorf("%v: %v, want ErrNeedsCopy", errno, err)
		}
		must(t, m.Copy(t.Context(), w.mv))
		w.filed()
		again := w.document(w.mv.Root, "a/again.pdf", []byte("another"))
		again.Sorted, again.Target, again.Tag = w.mv.Sorted, w.mv.Target, "8"
		if err := m.MoveOrCopy(t.Context(), again); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v: %v, want fs.ErrExist", errno, err)
		}
		m, _ = lacking(map[string]error{"rename": unix.EINVAL})
		if err := m.Do(t.Context(), again); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a link to a name that is taken: %v, want fs.ErrExist", err)
		}
	}
}

// Where the source of a whole copy, or of a link, cannot be unlinked, it stays claimed
// until it can: it is neither copied again nor visible beside its copy.
func TestSourceThatCannotBeUnlinked(t *testing.T) {
	for _, tr := range terrains() {
		if tr.name == "rename" {
			continue
		}
		for _, what := range []string{"later", "target gone", "target replaced"} {
			t.Run(tr.name+"/"+what, func(t *testing.T) {
				w := newWorld(t, tr.across)
				refuse, writes := true, 0
				m := tr.mover(t, func(op string, done bool) error {
					if op == "write" && done {
						writes++
					}
					if refuse && (op == "unlink" || op == "unlink source claim") {
						return unix.EBUSY
					}
					return nil
				})
				claim := filepath.Join(filepath.Dir(w.source()), w.mv.sourceClaim())
				for range 2 {
					if err := m.MoveOrCopy(t.Context(), w.mv); !errors.Is(err, unix.EBUSY) {
						t.Fatalf("error %v, want EBUSY", err)
					}
					if got := w.holding(w.content); !slices.Equal(got, []string{claim, w.target()}) {
						t.Fatalf("the content is at %q", got)
					}
				}
				before := writes
				refuse = false
				if what == "later" {
					w.finish(m)
					same(t, "writes of the copy", writes, before)
					return
				}
				must(t, os.Remove(w.target()))
				if what == "target gone" {
					w.finish(m)
					return
				}
				must(t, os.WriteFile(w.target(), []byte("other"), 0o644))
				outcome, err := m.Resume(t.Context(), w.mv)
				must(t, err)
				same(t, "outcome", outcome, Taken)
				w.only(w.content, w.source())
			})
		}
	}
}

// Some filesystems give a renamed file another time (EncFS) or inode (mergerfs): its
// content decides. Nothing is put back for it.
func TestRenameThatChangesTheIdentity(t *testing.T) {
	touch := func(path string) error { return os.Chtimes(path, time.Time{}, time.Now()) }
	renew := func(path string) error {
		content, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path+"~", content, documentMode),
			os.Chtimes(path+"~", documentTime, documentTime), os.Rename(path+"~", path))
	}
	for name, change := range map[string]func(string) error{"time": touch, "inode": renew} {
		for _, across := range []bool{false, true} {
			for _, hash := range []bool{true, false} {
				for _, crash := range []bool{false, true} {
					w := newWorld(t, across)
					if !hash {
						w.mv.SHA256 = nil
					}
					op, path := "rename", w.target()
					if across {
						op, path = "claim", filepath.Join(filepath.Dir(w.source()), w.mv.sourceClaim())
					}
					over := false
					m := NewMover(Options{Fault: func(now string, done bool) error {
						if now == op && done {
							must(t, change(path))
							over = crash
						}
						if over {
							return errCrash
						}
						return nil
					}})
					err := m.MoveOrCopy(t.Context(), w.mv)
					if crash {
						outcome, resumeErr := NewMover(Options{}).Resume(context.Background(), w.mv)
						same(t, name+" after a crash", outcome, Done)
						err = resumeErr
					}
					if err != nil {
						t.Errorf("%s, across %v, hash %v, crash %v: %v", name, across, hash, crash, err)
					}
					w.only(w.content, w.target())
				}
			}
		}
	}
}

// It does for Resume, too, whose own claim has another time.
func TestResumeWithAClaimOfAnotherTime(t *testing.T) {
	w := newWorld(t, true)
	must(t, os.Mkdir(filepath.Dir(w.target()), 0o755))
	must(t, os.WriteFile(w.target(), w.content, documentMode))
	must(t, os.Chtimes(w.target(), documentTime, documentTime))
	claim := filepath.Join(filepath.Dir(w.source()), w.mv.sourceClaim())
	m := moverAt("claim", true, func() error { return os.Chtimes(claim, time.Time{}, time.Now()) })
	outcome, err := m.Resume(t.Context(), w.mv)
	must(t, err)
	same(t, "outcome", outcome, Done)
	w.filed()
}

// A file that was written to while it was renamed is another one, whatever else it
// kept. It is never removed: after a copy it is a new document.
func TestRenameOfAChangedFile(t *testing.T) {
	for _, tr := range terrains() {
		for _, hash := range []bool{true, false} {
			if !hash && !tr.across {
				continue // nothing tells it from a rename on EncFS, and nothing is lost
			}
			t.Run(tr.name, func(t *testing.T) {
				w := newWorld(t, tr.across)
				if !hash {
					w.mv.SHA256 = nil
				}
				changed := bytes.ToUpper(w.content)
				op, acted := "claim", false
				if tr.name == "rename" {
					op = "rename"
				}
				m := tr.mover(t, func(now string, done bool) error {
					if now != op || done || acted {
						return nil
					}
					acted = true
					return os.WriteFile(w.source(), changed, documentMode)
				})
				err := m.MoveOrCopy(t.Context(), w.mv)
				if len(w.holding(w.content)) == 0 { // it was one file by two names, or by one
					if !errors.Is(err, ErrChanged) {
						t.Errorf("%v, want ErrChanged", err)
					}
				} else {
					must(t, err)
					w.only(w.content, w.target())
				}
				w.only(changed, w.source())
			})
		}
	}
}
