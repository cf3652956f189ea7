package watcher

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// restless keeps touching files until the test ends, each every two seconds.
func (f *fixture) restless(names []string, content string) {
	for _, n := range names {
		f.write(n, content)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			for _, n := range names {
				f.write(n, content)
			}
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Second):
			}
		}
	}()
	f.t.Cleanup(func() { close(stop); <-stopped })
}

func numbered(format string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf(format, i))
	}
	return names
}

// A crowd of files that never rest, or that are never finished, leaves room for others,
// whether these were there before, are found by a scan, or told of.
func TestCrowdLeavesRoom(t *testing.T) {
	for _, content := range []string{"", "END", "WRITING", "WRITING, at rest"} {
		t.Run(content, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				f.remember()
				w := f.make()
				w.limits.candidates = 32
				crowd := numbered("a%02d", 40)
				if strings.HasSuffix(content, "rest") {
					for _, n := range crowd {
						f.write(n, content)
					}
				} else {
					f.restless(crowd, content)
				}
				f.write("z", "END")
				f.start(w)
				f.want(time.Minute, "z")
				f.none(3 * time.Minute)
				f.drop("y", "END")
				f.want(time.Minute, "y")
				f.write("x", "END")
				f.want(time.Minute, "x")
				f.logged("too many files that do not settle", 1)
				f.peek(checkBounds(t))
			})
		})
	}
}

// In such a crowd a file that looks cut short still has its time.
func TestCutShortInACrowd(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		w.limits.candidates = 32
		f.write("z", "cut")
		f.restless(numbered("a%02d", 200), "")
		f.start(w)
		f.want(12*time.Minute, "z")
	})
}

// One owner's files, whatever they are, leave room for those of another at once.
func TestOwnersHaveTheirShare(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: files of several owners cannot be made")
	}
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		w.limits.candidates = 32
		f.restless(numbered("r%02d", 50), "END")
		f.start(w)
		<-w.Ready() // as far as there is room
		f.write("y", "END")
		f.must(os.Chown(f.path("y"), 1234, 1234))
		f.event("y", fsnotify.Create)
		f.wantIn(5*time.Second, "y")
		for _, n := range numbered("a%02d", 100) {
			f.drop(n, "END")
		}
		f.write("z", "END")
		f.must(os.Chown(f.path("z"), 1234, 1234))
		f.event("z", fsnotify.Create)
		var before int
		for p := ""; p != "z"; before++ {
			p = <-f.files
			f.received(p)
		}
		if before > 32 {
			t.Errorf("%d files were sent before it", before)
		}
		f.peek(checkBounds(t))
	})
}

// However much there is to look at, each owner has a turn.
func TestOwnersTakeTurns(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: files of several owners cannot be made")
	}
	bubble(t, func(f *fixture) {
		w := f.make()
		inspect := w.cfg.Inspect
		w.cfg.Inspect = func(rel string) (Condition, error) {
			time.Sleep(time.Second) // a slow disk
			return inspect(rel)
		}
		for _, n := range numbered("a%03d", 200) {
			f.write(n, "WRITING")
		}
		f.start(w)
		<-w.Ready()
		time.Sleep(20 * time.Second)
		f.write("z", "END")
		f.must(os.Chown(f.path("z"), 1234, 1234))
		f.event("z", fsnotify.Create)
		f.want(30*time.Second, "z")
	})
}

// The turns are even, however many files each owner has.
func TestTurnsAreEven(t *testing.T) {
	cs := newCandidates()
	for owner := range 10 {
		for i := range 1 + owner*10 {
			cs.add(&candidate{path: fmt.Sprint(owner, "/", i), owner: uint32(owner)})
		}
	}
	turns := make(map[uint32]int)
	for range 100 {
		turns[cs.due(time.Now()).owner]++
	}
	for owner, n := range turns {
		if n != 10 {
			t.Errorf("owner %d had %d of 100 turns", owner, n)
		}
	}
}

// What waits for more than a minute can be asked for, with the reason, and what looks cut
// short or is empty at once.
func TestNotTaken(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		began := time.Now()
		w := f.make()
		w.limits.candidates = 20
		f.write("cut", "cut")
		f.write("empty", "")
		f.write("open", "WRITING")
		f.write("good", "END")
		f.restless([]string{"restless"}, "END")
		f.start(w)
		f.want(5*time.Second, "good")
		unfit := []Left{{"cut", "cut short", began}, {"empty", "empty", began}}
		lists := func(when string, want ...Left) {
			t.Helper()
			<-w.Changed()
			if got := w.NotTaken(); !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", when, got, want)
			}
		}
		<-w.Changed() // the inbox is there
		f.none(2 * time.Second)
		lists("at once", unfit...)
		f.none(50 * time.Second)
		if got := w.NotTaken(); len(got) != 2 {
			t.Errorf("before a minute: %v", got)
		}
		f.none(20 * time.Second)
		lists("after a minute", append(unfit, Left{"open", "being written", began}, Left{"restless", "being written", began})...)
		f.drop("cut", "END")
		f.drop("empty", "END")
		f.want(5*time.Second, "cut", "empty")
		f.none(2 * time.Second)
		lists("when some were taken", Left{"open", "being written", began}, Left{"restless", "being written", began})
		f.restless(numbered("more%02d", 40), "")
		f.none(3 * time.Minute)
		reasons := make(map[string]int)
		for _, l := range w.NotTaken() {
			reasons[l.Reason]++
		}
		if reasons["too many"] < 10 || reasons["too many"]+reasons["being written"] != 42 {
			t.Errorf("of a crowd: %v", reasons)
		}
		f.stop()
		time.Sleep(time.Second)
		if got := w.NotTaken(); len(got) > 0 {
			t.Errorf("when it does not run: %v", got)
		}
	})
}

// What is not there any more is not listed for long.
func TestNotTakenForgets(t *testing.T) {
	bubble(t, func(f *fixture) {
		w := f.make()
		w.limits.candidates = 16
		names := numbered("a%02d", 40)
		for _, n := range names {
			f.write(n, "WRITING")
		}
		f.start(w)
		f.none(5 * time.Minute)
		left := w.NotTaken()
		if len(left) < 30 || !slices.ContainsFunc(left, func(l Left) bool { return l.Reason == "too many" }) {
			t.Errorf("of a crowd: %v", left)
		}
		for _, n := range names {
			f.must(os.Remove(f.path(n)))
		}
		f.none(2 * time.Minute)
		if left := w.NotTaken(); len(left) > 0 {
			t.Errorf("removed: %v", left)
		}
	})
}

// So is what has settled and is not received.
func TestNotTakenWhileNobodyReceives(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write("good", "END")
		began := time.Now()
		w := f.make()
		f.start(w)
		time.Sleep(71 * time.Second)
		if got := w.NotTaken(); !slices.Equal(got, []Left{{"good", "waiting for its turn", began}}) {
			t.Errorf("got %v", got)
		}
	})
}

// The list is bounded, and each owner has a part of it.
func TestNotTakenIsBounded(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not the superuser: files of several owners cannot be made")
	}
	bubble(t, func(f *fixture) {
		for _, n := range numbered("a%04d", maxLeft+10) {
			f.write(n, "cut")
		}
		f.write("z", "cut")
		f.must(os.Chown(f.path("z"), 1234, 1234))
		w := f.make()
		f.start(w)
		f.none(90 * time.Second)
		left := w.NotTaken()
		if !slices.ContainsFunc(left, func(l Left) bool { return l.Path == "z" }) || len(left) > maxLeft {
			t.Errorf("%d files: another owner's is not among them", len(left))
		}
	})
}
