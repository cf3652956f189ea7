package watcher

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
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is an inbox with a watcher on it. Files whose content ends in END are
// complete, those that contain WRITING are open for writing, others are
// incomplete.
type fixture struct {
	t     *testing.T
	root  string
	cfg   Config
	files chan string
	fake  *fake
	log   *logbook
	l     *loop
	stop  context.CancelFunc

	writes    atomic.Int64         // files written
	mu        sync.Mutex           // held while Known and Inspect run
	inspected []string             // by inspect
	known     map[string]fileState // what was received, and how it was then
}

// setup makes an inbox; the settings can be changed until start.
func setup(t *testing.T) *fixture {
	f := &fixture{
		t:     t,
		root:  filepath.Join(t.TempDir(), "inbox"),
		files: make(chan string),
		fake:  newFake(),
		log:   new(logbook),
		known: make(map[string]fileState),
	}
	f.must(os.Mkdir(f.root, 0o755))
	f.cfg = Config{
		Root:            f.root,
		Files:           f.files,
		Inspect:         f.inspect,
		Rescan:          time.Minute,
		Settle:          5 * time.Second,
		IncompleteAfter: 5 * time.Minute,
		Recursive:       true,
		Logger:          slog.New(slog.NewTextHandler(f.log, nil)),
	}
	return f
}

func (f *fixture) make() *Watcher {
	f.t.Helper()
	cfg := f.cfg
	cfg.Inspect = func(rel string) (Condition, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.cfg.Inspect(rel)
	}
	if cfg.Known != nil {
		cfg.Known = func(rel string, info fs.FileInfo) (bool, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.cfg.Known(rel, info)
		}
	}
	w := New(cfg)
	w.open = func() (notifier, error) { return f.fake.notifier(), nil }
	return w
}

// start runs the watcher, with the fake for inotify, until the test ends.
func (f *fixture) start(w *Watcher) {
	f.t.Helper()
	if w == nil {
		w = f.make()
	}
	var ctx context.Context
	ctx, f.stop = context.WithCancel(context.Background())
	f.l = newLoop(w, false)
	done := make(chan error, 1)
	go func() {
		_, err := f.l.run(ctx)
		done <- err
	}()
	f.t.Cleanup(func() {
		f.stop()
		if err := <-done; err != nil {
			f.t.Errorf("run: %v", err)
		}
	})
}

func (f *fixture) inspect(rel string) (Condition, error) {
	f.inspected = append(f.inspected, rel)
	b, err := os.ReadFile(filepath.Join(f.root, rel))
	switch {
	case err != nil:
		return 0, err
	case bytes.Contains(b, []byte("WRITING")):
		return Writing, nil
	case bytes.HasSuffix(b, []byte("END")):
		return Complete, nil
	}
	return Incomplete, nil
}

// remember makes Known say true for what was received, from then on.
func (f *fixture) remember() {
	f.cfg.Known = func(rel string, info fs.FileInfo) (bool, error) {
		s, ok := f.known[rel]
		return ok && s == stateOf(info), nil
	}
}

func (f *fixture) path(rel string) string { return f.root + "/" + rel }

// write writes a file, without an event. Each file is a millisecond younger than
// the one before, whatever the clock of the filesystem can tell.
func (f *fixture) write(rel, content string) {
	f.t.Helper()
	f.must(os.MkdirAll(filepath.Dir(f.path(rel)), 0o755))
	f.must(os.WriteFile(f.path(rel), []byte(content), 0o644))
	f.must(os.Chtimes(f.path(rel), time.Time{}, time.UnixMilli(1e12+f.writes.Add(1))))
}

// drop writes a file and tells of it.
func (f *fixture) drop(rel, content string) {
	f.t.Helper()
	f.write(rel, content)
	f.event(rel, fsnotify.Create)
	f.event(rel, fsnotify.Write)
}

func (f *fixture) event(rel string, op fsnotify.Op) {
	f.fake.ev <- fsnotify.Event{Name: strings.TrimSuffix(f.path(rel), "/"), Op: op}
}

// peek looks at the loop's own state while the loop sleeps. The event, of
// nothing in the inbox, is what orders this look before the loop's next step.
func (f *fixture) peek(look func(l *loop)) {
	synctest.Wait()
	look(f.l)
	f.fake.ev <- fsnotify.Event{Name: "/elsewhere", Op: fsnotify.Chmod}
	synctest.Wait()
}

// waiting is how many files are candidates.
func (f *fixture) waiting() (n int) {
	f.peek(func(l *loop) { n = l.files.candidates.len() })
	return n
}

// do changes what Known and Inspect use.
func (f *fixture) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fixture) must(err error) {
	f.t.Helper()
	must(f.t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want expects exactly these files, in any order, to arrive within d.
func (f *fixture) want(d time.Duration, want ...string) {
	f.t.Helper()
	timeout := time.After(d + time.Millisecond)
	var got []string
	for range want {
		select {
		case p := <-f.files:
			got = append(got, p)
			f.received(p)
		case <-timeout:
			f.t.Fatalf("after %v: got %q, want %q\n%s", d, got, want, f.log)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.t.Fatalf("got %q, want %q", got, want)
	}
}

func (f *fixture) received(p string) {
	if info, err := os.Lstat(f.path(p)); err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.known[p] = stateOf(info)
	}
}

// wantIn expects one file after exactly d.
func (f *fixture) wantIn(d time.Duration, want string) {
	f.t.Helper()
	began := time.Now()
	f.want(d, want)
	if took := time.Since(began); took != d {
		f.t.Fatalf("%q arrived after %v, want %v", want, took, d)
	}
}

// none expects no file for d.
func (f *fixture) none(d time.Duration) {
	f.t.Helper()
	began := time.Now()
	select {
	case p := <-f.files:
		f.t.Fatalf("%q arrived after %v, want none in %v\n%s", p, time.Since(began), d, f.log)
	case <-time.After(d):
	}
	synctest.Wait()
}

// watches expects exactly these folders to be watched.
func (f *fixture) watches(want ...string) {
	f.t.Helper()
	synctest.Wait()
	for i, rel := range want {
		want[i] = strings.TrimSuffix(f.path(rel), "/")
	}
	if got := f.fake.WatchList(); !slices.Equal(got, want) {
		f.t.Errorf("watched %q, want %q", got, want)
	}
}

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// logged expects so many lines that contain text.
func (f *fixture) logged(text string, times int) {
	f.t.Helper()
	synctest.Wait()
	if n := strings.Count(f.log.String(), text); n != times {
		f.t.Errorf("%q logged %d times, want %d:\n%s", text, n, times, f.log)
	}
}

// bubble runs a test in a bubble, where time passes only while all wait.
func bubble(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(setup(t)) })
}

var errTest = errors.New("made up for the test")
