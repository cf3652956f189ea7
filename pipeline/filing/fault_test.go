package filing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// walk calls try with n = 1, 2, 3 … until it reports that no n-th operation
// came.
func walk(t *testing.T, try func(t *testing.T, n int) (fired bool)) {
	t.Helper()
	const limit = 200
	for n := 1; n <= limit; n++ {
		fired := false
		t.Run(fmt.Sprint(n), func(t *testing.T) { fired = try(t, n) })
		if t.Failed() {
			return
		}
		if !fired {
			if n < 4 {
				t.Errorf("only %d operations", n-1)
			}
			return
		}
	}
	t.Errorf("no end after %d", limit)
}

// failing fails the n-th operation, before it or, as a server may, after it.
func failing(n int, after bool, err error, fired *bool, log func(...any)) func(string, bool) error {
	return func(op string, done bool) error {
		if done != after {
			return nil
		}
		if n--; n != 0 {
			return nil
		}
		*fired = true
		log("fails:", op, err)
		return err
	}
}

func TestEachOperationFailsOnce(t *testing.T) {
	for _, tr := range terrains() {
		for _, errno := range []unix.Errno{unix.ENOSPC, unix.EIO, unix.EACCES, unix.EPERM, unix.ENOENT} {
			for _, after := range []bool{false, true} {
				for _, again := range []string{"resume", "do"} {
					t.Run(fmt.Sprintf("%s/%s/after=%v/%s", tr.name, unix.ErrnoName(errno), after, again), func(t *testing.T) {
						walk(t, func(t *testing.T, n int) bool { return failOnce(t, tr, errno, n, after, again) })
					})
				}
			}
		}
	}
}

func failOnce(t *testing.T, tr terrain, errno error, n int, after bool, again string) (fired bool) {
	w := newWorld(t, tr.across)
	failed := ""
	m := tr.mover(t, failing(n, after, errno, &fired, func(args ...any) {
		t.Log(args...)
		failed = args[1].(string)
	}))
	err := m.MoveOrCopy(context.Background(), w.mv)
	if len(w.holding(w.content)) == 0 {
		t.Fatal("the content is nowhere")
	}
	refused := !after && (errors.Is(errno, unix.EPERM) || errors.Is(errno, unix.EACCES))
	switch mode, modified := w.attributes(); {
	case err == nil && refused && failed == "chmod": // a copy is made for its owner alone
		w.only(w.content, w.target())
		same(t, "mode", mode, 0o600)
		return fired
	case err == nil && refused && failed == "utimes":
		w.only(w.content, w.target())
		same(t, "mode", mode, documentMode)
		if modified.Equal(documentTime) {
			t.Error("the time was set")
		}
		return fired
	case err == nil:
		w.filed()
		return fired
	}
	if !fired || failed == "unlink" { // which is made good at once
		t.Fatal(err)
	}
	// One failure leaves the document where people look for it.
	if got := w.holding(w.content); len(got) != 1 || got[0] != w.source() && got[0] != w.target() {
		t.Errorf("after one failure the content is at %q", got)
	}
	w.tidy()
	if again == "resume" {
		w.finish(m)
		return fired
	}
	must(t, m.MoveOrCopy(context.Background(), w.mv))
	w.filed()
	return fired
}

var errCrash = errors.New("crashed")

// crashing ends everything at the n-th operation: neither it nor a later one
// has any effect. With after, it has been done.
func crashing(n int, after bool, fired *bool, log func(...any)) func(string, bool) error {
	fail := failing(n, after, errCrash, fired, log)
	return func(op string, done bool) error {
		if *fired {
			return errCrash
		}
		return fail(op, done)
	}
}

func TestCrashAtEachOperation(t *testing.T) {
	for _, tr := range terrains() {
		for i := range 4 {
			hash, ask := i&1 == 0, i&2 == 0
			t.Run(fmt.Sprintf("%s/hash=%v/ask=%v", tr.name, hash, ask), func(t *testing.T) {
				walk(t, func(t *testing.T, n int) bool {
					fired := false
					w := newWorld(t, tr.across)
					if !hash {
						w.mv.SHA256 = nil
					}
					_ = tr.mover(t, crashing(n, true, &fired, t.Log)).MoveOrCopy(context.Background(), w.mv)
					if len(w.holding(w.content)) == 0 {
						t.Fatal("the content is nowhere")
					}
					if ask {
						w.finish(tr.mover(t, nil))
						return fired
					}
					must(t, tr.mover(t, nil).MoveOrCopy(context.Background(), w.mv))
					w.filed()
					return fired
				})
			})
		}
	}
}

// A failure half way makes the mover undo; here it crashes while undoing, or
// while resuming, or both.
func TestCrashWhileUndoing(t *testing.T) {
	for _, tr := range terrains() {
		t.Run(tr.name, func(t *testing.T) {
			for n := 1; ; n++ {
				more := false
				for k := 1; ; k++ {
					failed, crashed, crashedAgain := false, false, false
					fail := failing(n, false, unix.EIO, &failed, func(...any) {})
					w := newWorld(t, tr.across)
					crash := crashing(k, true, &crashed, func(...any) {})
					m := tr.mover(t, func(op string, done bool) error {
						if failed {
							return crash(op, done)
						}
						return fail(op, done)
					})
					_ = m.MoveOrCopy(context.Background(), w.mv)
					_, _ = tr.mover(t, crashing(k, true, &crashedAgain, func(...any) {})).Resume(context.Background(), w.mv)
					if len(w.holding(w.content)) == 0 {
						t.Fatalf("the content is nowhere: failure %d, crash %d", n, k)
					}
					w.finish(tr.mover(t, nil))
					if t.Failed() {
						t.Fatalf("failure %d, crash %d", n, k)
					}
					more = more || failed
					if !crashed && !crashedAgain {
						break
					}
				}
				if !more {
					break
				}
			}
		})
	}
}

// Other programs do not hold still while a document is moved.
func TestInterference(t *testing.T) {
	newer := []byte("a new document at the old place")
	acts := map[string]func(*world) []byte{
		"source replaced": func(w *world) []byte {
			must(w.t, os.WriteFile(w.source()+"~", newer, 0o644))
			must(w.t, os.Rename(w.source()+"~", w.source()))
			return newer
		},
		"source replaced by a link": func(w *world) []byte {
			_ = os.Remove(w.source())
			must(w.t, os.Symlink("/etc/hostname", w.source()))
			return nil
		},
		"source grows": func(w *world) []byte {
			f, err := os.OpenFile(w.source(), os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return nil // not there at the moment
			}
			_, err = f.WriteString("more")
			must(w.t, errors.Join(err, f.Close()))
			return append(bytes.Clone(w.content), "more"...)
		},
		"target made": func(w *world) []byte {
			_ = os.MkdirAll(filepath.Dir(w.target()), 0o755)
			f, err := os.OpenFile(w.target(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return nil
			}
			_, err = f.Write(newer)
			must(w.t, errors.Join(err, f.Close()))
			return newer
		},
		"source deleted": func(w *world) []byte {
			_ = os.Remove(w.source())
			return nil
		},
	}
	for _, tr := range terrains() {
		for name, act := range acts {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/after=%v", tr.name, name, after), func(t *testing.T) {
					walk(t, func(t *testing.T, n int) bool { return interfere(t, tr, act, n, after) })
				})
			}
		}
	}
}

func interfere(t *testing.T, tr terrain, act func(*world) []byte, n int, after bool) bool {
	w := newWorld(t, tr.across)
	var theirs []byte
	acted := false
	m := tr.mover(t, func(op string, done bool) error {
		if n--; n == 0 && !acted && done == after {
			acted = true
			t.Log("acts at", op)
			theirs = act(w)
		} else if done != after {
			n++
		}
		return nil
	})
	err := m.MoveOrCopy(context.Background(), w.mv)
	if theirs != nil {
		got := w.holding(theirs)
		if len(got) != 1 {
			t.Fatalf("their content is at %q", got)
		}
		inSorted := strings.HasPrefix(got[0], w.mv.Sorted)
		if err == nil && inSorted && got[0] == w.target() {
			t.Fatalf("their content was filed at %s", got[0])
		}
	}
	if err == nil && acted && len(w.holding(w.content)) > 0 {
		w.only(w.content, w.target())
	}
	if err != nil && len(w.holding(w.content)) > 1 {
		t.Fatalf("two copies: %q", w.holding(w.content))
	}
	w.tidy()
	return acted
}
