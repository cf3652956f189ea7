package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noErr(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program makes a program of these lines, and the folder $D for what it leaves.
func program(t *testing.T, lines string) (file, dir string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(t.TempDir(), "hook")
	noErr(t, os.WriteFile(file, []byte("#!/bin/sh\nD='"+dir+"'\n"+lines+"\n"), 0o755))
	return file, dir
}

// newStore returns a store that keeps events for a hook.
func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "docusort.db")})
	noErr(t, err)
	t.Cleanup(func() { noErr(t, s.Close()) })
	_, err = s.Listen(t.Context(), true)
	noErr(t, err)
	return s
}

// failDocument makes a document fail n times; each is an event.
func failDocument(t *testing.T, s *store.Store, source string, n int) {
	t.Helper()
	ctx := t.Context()
	a := store.Admission{Inbox: store.Folder{Path: "/in"}, Source: source, Failure: "bad", SHA256: make([]byte, 32)}
	for range n {
		d, err := s.Admit(ctx, a)
		noErr(t, err)
		_, err = s.Target(ctx, []store.Targeted{{ID: d.ID, Sorted: store.Folder{Path: "/sorted"}, Target: "_failed/" + source}})
		noErr(t, err)
		_, err = s.Moved(ctx, []int64{d.ID})
		noErr(t, err)
		a.AsideMatches = []int64{d.ID}
	}
}

// waitForLines waits until a file has n lines.
func waitForLines(t *testing.T, file string, n int) []string {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(file)
		if all := strings.Fields(string(b)); len(all) >= n {
			return all
		}
		if time.Now().After(end) {
			t.Fatalf("%s has %q, not %d lines", file, b, n)
		}
	}
}

// start runs a runner until the test ends.
func start(t *testing.T, r *Runner) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() { stop(); noErr(t, <-done) })
}

// TestOrder: a document's events come one after the other, also where the first
// fails, which keeps no other document waiting.
func TestOrder(t *testing.T) {
	s := newStore(t)
	failDocument(t, s, "a", 3)
	failDocument(t, s, "b", 3)
	file, dir := program(t, `if [ "$DOCUSORT_EVENT_SOURCE" = a ] && [ ! -e "$D/failed" ]; then : > "$D/failed"; exit 7; fi
echo "$DOCUSORT_EVENT_SOURCE$DOCUSORT_EVENT_ID" >> "$D/told"`)
	start(t, &Runner{Program: file, Store: s, Logger: slog.New(slog.DiscardHandler), Grace: time.Minute})
	all := waitForLines(t, filepath.Join(dir, "told"), 6)
	var a, b []string
	for _, line := range all {
		if line[0] == 'a' {
			a = append(a, line)
		} else {
			b = append(b, line)
		}
	}
	if fmt.Sprint(a, b) != "[a1 a2 a3] [b4 b5 b6]" || all[0] != "b4" {
		t.Errorf("told in the order %v", all)
	}
}

// TestRunEnds: what takes too long is killed with what it started; what is
// written is kept in part.
func TestRunEnds(t *testing.T) {
	file, dir := program(t, `sleep 1000 & echo $! > "$D/pid.new"; mv "$D/pid.new" "$D/pid"; wait`)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("time is over")
	go func() {
		waitForLines(t, filepath.Join(dir, "pid"), 1)
		cancel(why)
	}()
	if _, err := run(ctx, file, "", &store.Event{Kind: "filed"}); !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
	pid := waitForLines(t, filepath.Join(dir, "pid"), 1)[0]
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			break // whoever adopts it may be slow to bury it
		}
		if time.Now().After(end) {
			t.Fatal("what it started goes on")
		}
	}
	file, _ = program(t, `exec yes | head -c 1000000`)
	if out, err := run(t.Context(), file, "", &store.Event{Kind: "filed"}); err != nil || len(out) != maxOutput {
		t.Errorf("%d bytes were kept, and the error is %v", len(out), err)
	}
}

// TestPause grows up to an hour.
func TestPause(t *testing.T) {
	for before, want := range map[int]time.Duration{0: time.Second, 3: 8 * time.Second, 12: time.Hour, 1 << 30: time.Hour} {
		if got := pause(before); got != want {
			t.Errorf("after %d: %s, want %s", before, got, want)
		}
	}
}

// TestDropped: what could not be told for too long goes, the newest stay.
func TestDropped(t *testing.T) {
	s := newStore(t)
	failDocument(t, s, "a", 1)
	failDocument(t, s, "b", 1)
	failDocument(t, s, "c", 1)
	now := time.Now()
	counts := func(want int64, why string) func(int64, error) {
		return func(n int64, err error) {
			if err != nil || n != want {
				t.Errorf("%s: %d, want %d, %v", why, n, want, err)
			}
		}
	}
	counts(1, "dropped")(s.Nack(t.Context(), 1, now, now.Add(-time.Hour), 2))
	counts(0, "dropped")(s.Nack(t.Context(), 2, now.Add(time.Hour), now.Add(-time.Hour), 2))
	due, err := s.DueEvents(t.Context(), now, 9)
	if err != nil || len(due) != 1 || due[0].ID != 3 || due[0].Reason != "bad" || due[0].Path != "/sorted/_failed/c" {
		t.Errorf("due: %+v, %v", due, err)
	}
	counts(1, "pruned although they are to be told of")(s.Prune(t.Context(), now.Add(time.Hour), 9))
	counts(2, "dropped as too old")(s.Nack(t.Context(), 2, now, now.Add(time.Hour), 9))
	counts(0, "dropped")(s.Listen(t.Context(), false))
	failDocument(t, s, "d", 1)
	if due, _ := s.DueEvents(t.Context(), now, 9); len(due) != 0 {
		t.Errorf("kept while nobody listens: %+v", due)
	}
}
