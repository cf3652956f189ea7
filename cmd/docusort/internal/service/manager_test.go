package service

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener stands where systemd does.
type listener struct {
	mu    sync.Mutex
	heard []string
	err   error
	log   strings.Builder
}

// listen returns a manager that tells the listener.
func listen(watchdog time.Duration) (*Manager, *listener) {
	l := &listener{}
	return &Manager{log: slog.New(slog.NewTextHandler(&l.log, nil)), watchdog: watchdog, notify: func(message string) (bool, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, message)
		return l.err == nil, l.err
	}}, l
}

// took returns what was heard since it was last called.
func (l *listener) took() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

func (l *listener) hears(t *testing.T, want ...string) {
	t.Helper()
	if got := l.took(); !slices.Equal(got, want) {
		t.Errorf("systemd hears %q, not %q", got, want)
	}
}

func TestMessages(t *testing.T) { synctest.Test(t, messages) }

func messages(t *testing.T) {
	m, l := listen(0)
	m.Ready()
	m.Stopping(55 * time.Second)
	l.hears(t, "READY=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=55000000")
	m.Reloading()
	// Since version 253 a reload without the time is not taken for one.
	if got := l.took(); len(got) != 1 || !strings.HasPrefix(got[0], "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("a reload begins with %q", got)
	}
	l.err = errors.New("no such socket")
	m.Ready()
	m.Ready()
	if n := strings.Count(l.log.String(), "no such socket"); n != 1 {
		t.Errorf("told %d times that nobody can be told", n)
	}
}

// Whoever was not asked to tell, tells nobody and costs nothing.
func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	m := New(slog.New(slog.DiscardHandler))
	m.Ready()
	never := func(time.Duration) string { t.Error("asked"); return "" }
	m.Watchdog(t.Context(), never)
	m.ShowStatus(t.Context(), nil, func(context.Context) (Work, error) { t.Error("looked"); return Work{}, nil })
}

// The watchdog is fed three times as often as asked for, and not while a loop is
// late, which is logged once.
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := listen(3 * time.Minute)
		var late atomic.Pointer[string]
		report := func(name string) { late.Store(&name) }
		report("")
		check := func(limit time.Duration) string {
			if limit != time.Minute {
				t.Errorf("limit %v", limit)
			}
			return *late.Load()
		}
		var running sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		running.Go(func() { m.Watchdog(ctx, check) })
		l.hears(t, "WATCHDOG=1")
		time.Sleep(3*time.Minute + time.Second)
		l.hears(t, "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1")
		report("poll")
		time.Sleep(time.Hour)
		l.hears(t)
		if n := strings.Count(l.log.String(), "loop=poll"); n != 1 {
			t.Errorf("the late loop is logged %d times:\n%s", n, l.log.String())
		}
		report("")
		time.Sleep(time.Minute)
		l.hears(t, "WATCHDOG=1")
		stop()
		running.Wait()
		l.hears(t)
	})
}

// shown is work that a test changes while its status is shown.
type shown struct {
	looks, waiting atomic.Int64
	fails          atomic.Bool
	hold           chan struct{} // closed when the hold changes
	changed        chan struct{}
}

// show shows the status of some work until the test ends, in a bubble. filed is how
// many documents are filed on the first day.
func show(t *testing.T, m *Manager, filed int) *shown {
	s := &shown{hold: make(chan struct{}), changed: make(chan struct{}, 1)}
	began := time.Now()
	look := func(context.Context) (Work, error) {
		w := Work{Open: map[store.State]int{store.Waiting: int(s.waiting.Load())}}
		if time.Now().Day() == began.Day() {
			w.Today = map[store.State]int{store.Filed: filed}
		}
		if s.looks.Add(1) > 0 && s.fails.Load() {
			return w, errors.New("locked")
		}
		select {
		case <-s.hold: // it changes once
		default:
			w.Changed = s.hold
		}
		return w, nil
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { m.ShowStatus(ctx, s.changed, look) })
	t.Cleanup(func() { stop(); running.Wait() })
	return s
}

func (s *shown) change(waiting int) {
	s.waiting.Store(int64(waiting))
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func waitingLine(n string) string {
	return "STATUS=" + n + " waiting, 0 uploading, 0 pending, 0 filed today"
}

// The line follows the work, at most once a second, and nothing happens at rest.
func TestShowStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := listen(0)
		s := show(t, m, 0)
		l.hears(t, waitingLine("0"))
		time.Sleep(24 * time.Hour)
		l.hears(t)
		if n := s.looks.Load(); n != 1 {
			t.Errorf("%d looks at rest", n)
		}
		began := time.Now()
		for i := range 100 { // ten in a second, for ten seconds
			s.change(i + 1)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		heard := l.took()
		if n := len(heard); n < 8 || n > int(time.Since(began)/time.Second)+1 {
			t.Errorf("%d lines in %s", n, time.Since(began))
		}
		if last := heard[len(heard)-1]; last != waitingLine("100") {
			t.Errorf("the last line is %q", last)
		}
	})
}

// A look that fails is made again at the next change; a change of the hold is enough.
func TestShowStatusAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := listen(0)
		s := show(t, m, 0)
		l.hears(t, waitingLine("0"))
		for _, fails := range []bool{true, false} {
			s.fails.Store(fails)
			s.change(7)
			time.Sleep(time.Minute)
			if fails {
				l.hears(t)
			}
		}
		l.hears(t, waitingLine("7"))
		s.waiting.Store(8)
		close(s.hold)
		time.Sleep(time.Minute)
		l.hears(t, waitingLine("8"))
	})
}

// At midnight what was filed today is of yesterday.
func TestShowAtMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, l := listen(0)
		show(t, m, 1204)
		l.hears(t, "STATUS=0 waiting, 0 uploading, 0 pending, 1,204 filed today")
		time.Sleep(25 * time.Hour)
		l.hears(t, waitingLine("0"))
	})
}

func TestLine(t *testing.T) {
	for want, w := range map[string]Work{
		"12 waiting, 4 uploading, 31 pending, 1,204 filed today": {
			Open:  map[store.State]int{store.Waiting: 12, store.Submitting: 4, store.Pending: 31},
			Today: map[store.State]int{store.Filed: 1204, store.Gone: 3},
		},
		"0 waiting, 0 uploading, 0 pending, 2 to be filed, 1 filed today, 3 to review, 5 stuck, 4 failed": {
			Open: map[store.State]int{store.Identified: 2}, Stuck: 5,
			Today: map[store.State]int{store.Filed: 1, store.Review: 3, store.Failed: 4},
		},
		`on hold (account): 401: no\x1b[2J key; 1 waiting, 0 uploading, 0 pending, 0 filed today`: {
			Open: map[store.State]int{store.Waiting: 1},
			Hold: &store.Hold{Kind: store.HoldAccount, Reason: "401:\nno\x1b[2J key"},
		},
	} {
		if got := w.Line(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
