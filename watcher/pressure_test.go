package watcher

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The reader stalls while 50,000 events come in: the pump keeps draining them,
// nothing grows, and in the end every file arrives.
func TestStalledReader(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		w.limits = limits{candidates: 64, hints: 32, recent: 32, notes: 8, batch: 8}
		var want []string
		for i := range 1000 {
			want = append(want, fmt.Sprintf("dir%d/%d", i%7, i))
		}
		f.start(w)
		synctest.Wait()
		for i := range 50_000 {
			rel := want[i%1000]
			if i < 1000 {
				f.write(rel, "END")
				f.event(rel[:4], fsnotify.Create)
			}
			f.event(rel, fsnotify.Write)
			if i%500 == 0 {
				time.Sleep(time.Second)
				f.peek(checkBounds(t))
			}
		}
		time.Sleep(10 * time.Minute)
		f.peek(checkBounds(t))
		slices.Sort(want)
		f.wantEach(want)
		f.none(10 * time.Minute)
	})
}

func checkBounds(t *testing.T) func(l *loop) {
	return func(l *loop) {
		l.hints.mu.Lock()
		defer l.hints.mu.Unlock()
		if n := l.cands.len(); n > l.limits.candidates || l.cands.due.Len()+l.cands.ready.Len() != n {
			t.Errorf("%d candidates: %d due, %d ready", n, l.cands.due.Len(), l.cands.ready.Len())
		}
		if len(l.hints.paths) > l.limits.hints || len(l.hints.order) > l.limits.hints {
			t.Errorf("%d hints", len(l.hints.paths))
		}
		if len(l.sent.byPath) > l.limits.recent || len(l.sent.ring) > l.limits.recent {
			t.Errorf("%d remembered as sent", len(l.sent.byPath))
		}
		if n := len(l.scan.todo); n > l.limits.hints {
			t.Errorf("%d folders to be scanned", n)
		}
	}
}

// wantEach expects each of these at least once, within half an hour of each
// other, and nothing else.
func (f *fixture) wantEach(want []string) {
	f.t.Helper()
	got := make(map[string]int)
	for len(got) < len(want) {
		select {
		case p := <-f.files:
			got[p]++
			f.received(p)
		case <-time.After(30 * time.Minute):
			f.t.Fatalf("%d of %d arrived", len(got), len(want))
		}
	}
	for _, p := range want {
		if got[p] == 0 {
			f.t.Errorf("%q did not arrive", p)
		}
	}
}

// More files than there is room for: in one pass, with the first ones sent
// after the settle time and each of them once.
func TestMoreFilesThanRoom(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		w.limits.candidates, w.limits.batch = 16, 8
		var want []string
		for i := range 300 {
			want = append(want, fmt.Sprintf("d%d/%03d", i%3, i))
			f.write(want[i], "END")
		}
		slices.Sort(want)
		f.start(w)
		<-w.Ready() // as far as it can be
		time.Sleep(5*time.Second + 1)
		for range 16 {
			synctest.Wait()
			select {
			case p := <-f.files:
				f.received(p)
				want = slices.DeleteFunc(want, func(w string) bool { return w == p })
			default:
				t.Fatal("the first ones were not there after the settle time")
			}
		}
		began := time.Now()
		f.want(time.Hour, want...)
		if took := time.Since(began); took > 5*time.Second*300/16 {
			t.Errorf("the rest took %v", took)
		}
		f.none(5 * time.Minute)
	})
}

// Files that went while the reader stalled are passed over, more of them than
// one turn looks at.
func TestManyGoneWhileTheReaderStalls(t *testing.T) {
	bubble(t, func(f *fixture) {
		w := f.make()
		w.limits.batch = 2
		for i := range 20 {
			f.write(fmt.Sprintf("a%02d", i), "END")
		}
		f.start(w)
		time.Sleep(10 * time.Second)
		for i := range 20 {
			f.must(os.Remove(f.path(fmt.Sprintf("a%02d", i))))
		}
		time.Sleep(time.Second + 1)
		if n := f.waiting(); n != 0 {
			t.Errorf("%d files still waited for", n)
		}
	})
}

// A crowd of files that never get finished leaves room for those that do.
func TestUnfinishedFilesDoNotBlockOthers(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		w := f.make()
		w.limits.candidates = 16
		for i := range 100 {
			f.write(fmt.Sprintf("a%02d", i), "WRITING")
		}
		f.write("z", "END")
		f.start(w)
		f.want(2*time.Minute, "z")
		f.logged("too many unfinished files", 1)
		f.drop("y", "END")
		f.want(2*time.Minute, "y")
		if n := f.waiting(); n > 16 {
			t.Errorf("%d files waited for", n)
		}
	})
}

// An event for which there was no room is not forgotten.
func TestEventWithoutRoom(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.remember()
		w := f.make()
		w.limits.candidates = 4
		f.start(w)
		synctest.Wait()
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint("f", i))
			f.drop(want[i], "END")
		}
		f.want(2*time.Minute, want...)
	})
}

// Folders that are told of while the scan stands still for lack of room.
func TestFoldersWhileTheScanStandsStill(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.remember()
		w := f.make()
		w.limits.candidates, w.limits.hints = 4, 8
		var want []string
		for i := range 8 {
			want = append(want, fmt.Sprint("f", i))
			f.write(want[i], "END")
		}
		f.start(w)
		synctest.Wait()
		for i := range 100 {
			want = append(want, fmt.Sprintf("d%d/x", i))
			f.write(want[len(want)-1], "END")
			f.event(fmt.Sprint("d", i), fsnotify.Create)
			synctest.Wait()
		}
		f.peek(checkBounds(t))
		f.want(time.Hour, want...)
	})
}

// One file written to in small pieces is one hint, not a queue of them.
func TestHintsAreCoalesced(t *testing.T) {
	n := newFake()
	h := pump(n, 10)
	for range 1000 {
		n.ev <- fsnotify.Event{Name: "/a", Op: fsnotify.Write}
	}
	n.ev <- fsnotify.Event{Name: "/b", Op: fsnotify.Create}
	n.ev <- fsnotify.Event{Name: "/a", Op: fsnotify.Chmod}
	n.errs <- errTest
	n.close()
	<-h.done
	got := h.take()
	if !slices.Equal(got.order, []string{"/a", "/b"}) || got.paths["/a"] != fsnotify.Write|fsnotify.Chmod {
		t.Errorf("%+v", got)
	}
	if got.err != errTest || !got.lost || !got.ended {
		t.Errorf("%+v", got)
	}
	if again := h.take(); again.lost || again.err != nil || len(again.order) > 0 {
		t.Errorf("taken twice: %+v", again)
	}
}

// Too many paths become one demand to look everywhere.
func TestHintsAreBounded(t *testing.T) {
	n := newFake()
	h := pump(n, 10)
	for i := range 1000 {
		n.ev <- fsnotify.Event{Name: fmt.Sprint("/", i), Op: fsnotify.Create}
	}
	n.close()
	<-h.done
	if got := h.take(); len(got.paths) > 10 || len(got.order) > 10 || !got.lost {
		t.Errorf("%d paths, %d in order, lost %v", len(got.paths), len(got.order), got.lost)
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := recent{max: 3}
	for i := range 10 {
		r.add(fmt.Sprint(i), sending{shape: shape{size: int64(i)}})
		r.add(fmt.Sprint(i), sending{shape: shape{size: int64(i)}})
	}
	if len(r.byPath) != 3 || len(r.ring) != 3 {
		t.Errorf("%d paths, %d in the ring", len(r.byPath), len(r.ring))
	}
	if _, ok := r.get("9", shape{size: 9}); !ok {
		t.Error("the last one is forgotten")
	}
	if _, ok := r.get("9", shape{size: 8}); ok {
		t.Error("remembered in another shape")
	}
}

// TestHundredThousand measures a large backlog, with DOCUSORT_LARGE=1.
func TestHundredThousand(t *testing.T) {
	if os.Getenv("DOCUSORT_LARGE") == "" {
		t.Skip("DOCUSORT_LARGE is not set")
	}
	f := setup(t)
	f.remember()
	f.cfg.Settle = 500 * time.Millisecond
	f.cfg.Mode = Poll
	f.cfg.Inspect = func(string) (Condition, error) { return Complete, nil }
	const n = 100_000
	for i := range n {
		f.must(os.WriteFile(f.path(fmt.Sprintf("%06d.pdf", i)), []byte("END"), 0o644))
	}
	before := heapBytes()
	began := time.Now()
	f.start(nil)
	peak, first := uint64(0), time.Duration(0)
	for i := range n {
		p := <-f.files
		if i == 0 {
			first = time.Since(began)
		}
		f.do(func() { f.known[strings.Clone(p)] = shape{} })
		if i%5000 == 0 {
			peak = max(peak, heapBytes())
		}
	}
	t.Logf("first after %v, all %d after %v, heap %d kB before, at most %d kB", first, n, time.Since(began),
		before>>10, peak>>10)
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
