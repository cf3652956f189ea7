package watcher

import (
	"fmt"
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
		f.peek(checkBounds(t))
	})
}

func checkBounds(t *testing.T) func(l *loop) {
	return func(l *loop) {
		cs := &l.files.candidates
		waiting, places := 0, 0
		for owner, q := range cs.waiting {
			waiting += q.Len()
			places += cs.places[owner]
		}
		if n := cs.len(); n > l.limits.candidates || waiting+cs.ready.Len() != n || places != n {
			t.Errorf("%d candidates: %d waiting, %d ready, %d places", n, waiting, cs.ready.Len(), places)
		}
		if n := len(l.files.sent); n > l.limits.sent {
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

// More files than there is room for are sent in one pass, each of them once.
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
		f.start(w)
		<-w.Ready() // as far as it can be
		f.want(5*time.Second*(1+300/16), want...)
		f.none(5 * time.Minute)
	})
}

// Files and folders that events tell of while there is no room for them, and the scan
// stands still for that, are not forgotten.
func TestEventsWithoutRoom(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Rescan = 24 * time.Hour
		f.remember()
		w := f.make()
		w.limits.candidates, w.limits.hints = 4, 8
		f.start(w)
		synctest.Wait()
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint("f", i))
			f.drop(want[i], "END")
		}
		f.want(2*time.Minute, want...)
		want = nil
		for i := range 8 {
			want = append(want, fmt.Sprint("g", i))
			f.drop(want[i], "END")
		}
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

// Of many events at once a bounded number is taken in one round, those of one path as
// one; the end of inotify is not missed.
func TestEventsAreTakenTogether(t *testing.T) {
	w := setup(t).make()
	w.limits.hints = 11
	l := newLoop(w, false)
	events := make(chan fsnotify.Event, 50)
	l.watches.events = events
	for i := range 50 {
		events <- fsnotify.Event{Name: fmt.Sprint(i / 2), Op: fsnotify.Write << (i % 2)}
	}
	close(events)
	for i := range 5 {
		ev, ok := <-events
		l.takeEvents(ev, ok)
		if n := len(l.hints); i == 0 && (n != 6 || l.hints["0"] != fsnotify.Write|fsnotify.Write<<1) {
			t.Errorf("%d paths, the first with %v", n, l.hints["0"])
		}
	}
	if !l.schedule.again || !l.watches.degraded {
		t.Error("the end was not noticed")
	}
}
