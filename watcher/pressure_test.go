package watcher

import (
	"fmt"
	"maps"
	"os"
	"slices"
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
		w.limits = limits{candidates: 64, hints: 32, sent: 32, logged: 8, batch: 8}
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
		for len(f.known) < len(want) {
			select {
			case p := <-f.files:
				f.received(p)
			case <-time.After(30 * time.Minute):
				t.Fatalf("%d of %d arrived", len(f.known), len(want))
			}
		}
		f.none(10 * time.Minute)
	})
}

func checkBounds(t *testing.T) func(l *loop) {
	return func(l *loop) {
		cs := &l.files.candidates
		if n := cs.len(); n > l.limits.candidates || cs.waiting.Len()+cs.ready.Len() != n {
			t.Errorf("%d candidates: %d waiting, %d ready", n, cs.waiting.Len(), cs.ready.Len())
		}
		if n := len(l.files.sent.young) + len(l.files.sent.old); n > l.limits.sent {
			t.Errorf("%d remembered as sent", n)
		}
		if n := len(l.hints); n > l.limits.hints {
			t.Errorf("%d hints", n)
		}
		if n := len(l.scan.todo); n > l.limits.hints {
			t.Errorf("%d folders to be scanned", n)
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
		time.Sleep(10*time.Second + 500*time.Millisecond) // between two looks at the first one
		for i := range 20 {
			f.must(os.Remove(f.path(fmt.Sprintf("a%02d", i))))
		}
		time.Sleep(time.Second)
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

// Many events at once are taken a bounded number at a time, those of one path as
// one; the end of inotify is not missed.
func TestEventsAreTakenTogether(t *testing.T) {
	f := setup(t)
	w := f.make()
	w.limits.hints = 11
	l := newLoop(w, false)
	events := make(chan fsnotify.Event, 100)
	l.watches.events = events
	for range 5 {
		events <- fsnotify.Event{Name: "/a", Op: fsnotify.Write}
		events <- fsnotify.Event{Name: "/a", Op: fsnotify.Chmod}
	}
	events <- fsnotify.Event{Name: "/b", Op: fsnotify.Create}
	take := func() { ev, ok := <-events; l.takeEvents(ev, ok) }
	take()
	if want := map[string]fsnotify.Op{"/a": fsnotify.Write | fsnotify.Chmod, "/b": fsnotify.Create}; !maps.Equal(l.hints, want) {
		t.Errorf("hints %v, want %v", l.hints, want)
	}
	clear(l.hints)
	for i := range 50 {
		events <- fsnotify.Event{Name: fmt.Sprint(i)}
	}
	close(events)
	take()
	if n := len(l.hints); n != 11 {
		t.Errorf("%d hints", n)
	}
	for range 5 {
		take()
	}
	if !l.schedule.again || !l.watches.degraded {
		t.Error("the end was not noticed")
	}
}

func TestSentFilesAreBounded(t *testing.T) {
	s := sentFiles{max: 4}
	for i := range 10 {
		s.add(fmt.Sprint(i), sending{state: fileState{size: int64(i)}})
	}
	if n := len(s.young) + len(s.old); n > 4 {
		t.Errorf("%d remembered", n)
	}
	for i := int64(8); i < 10; i++ {
		if _, ok := s.get(fmt.Sprint(i), fileState{size: i}); !ok {
			t.Errorf("%d is forgotten", i)
		}
	}
	if _, ok := s.get("9", fileState{size: 8}); ok {
		t.Error("remembered in another state")
	}
}
