package status

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"docusort/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deadline is for what happens at once unless it never does.
const deadline = 2 * time.Minute

// world is a record that a daemon has, and the server of its page.
type world struct {
	t     *testing.T
	ctx   context.Context
	path  string
	store *store.Store
	n     int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), path: filepath.Join(t.TempDir(), "docusort.db")}
	s, err := store.Open(w.ctx, store.Config{Path: w.path})
	w.ok(err)
	w.store = s
	t.Cleanup(func() { w.ok(s.Close()) })
	w.ok(s.Started(w.ctx, 4711))
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// serve runs a server until the test ends, and returns its URL.
func (w *world) serve(change ...func(*Config)) (*Server, string) {
	w.t.Helper()
	cfg := Config{Addr: "127.0.0.1:0", Database: w.path, Version: "1.2.3", Commit: "abc", Meter: NewMeter(),
		Logger: slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&cfg)
	}
	s, err := Listen(cfg)
	w.ok(err)
	ctx, cancel := context.WithCancel(w.ctx)
	var group sync.WaitGroup
	group.Go(func() {
		if err := s.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return s, "http://" + s.Addr().String()
}

// get asks for a page.
func (w *world) get(url string) (*http.Response, string) {
	w.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	w.ok(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	w.ok(err)
	return resp, string(body)
}

// admit records a file of its own, with what is special about it.
func (w *world) admit(a store.Admission) int64 {
	w.t.Helper()
	w.n++
	a.Inbox, a.SubmitRequest.Options = store.Folder{Path: "/srv/docusort/inbox"}, []string{"invoice"}
	a.Identity = store.Identity{Inode: uint64(w.n), Size: 123_456}
	got, err := w.store.Admit(w.ctx, a)
	w.ok(err)
	return got.ID
}

// drop admits a document of its own content.
func (w *world) drop(source string) int64 {
	w.t.Helper()
	sum := sha256.Sum256([]byte(source))
	return w.admit(store.Admission{Source: source, SHA256: sum[:], ContentType: "application/pdf"})
}

func (w *world) submit(id int64) {
	w.t.Helper()
	_, err := w.store.Submitting(w.ctx, id, store.SubmitRequest{Options: []string{"invoice"}})
	w.ok(err)
}

func (w *world) pend(source string) int64 {
	w.t.Helper()
	id := w.drop(source)
	w.submit(id)
	err := w.store.Accepted(w.ctx, id, fmt.Sprintf("job-%d", id))
	w.ok(err)
	return id
}

// file takes a document all the way.
func (w *world) file(source, kind string) int64 {
	w.t.Helper()
	id := w.pend(source)
	err := w.store.Identified(w.ctx, id, store.Answer{Type: kind, Confidence: 0.97, Outcome: store.Filed})
	w.ok(err)
	w.move(id, kind+"/"+filepath.Base(source))
	return id
}

func (w *world) move(id int64, target string) {
	w.t.Helper()
	_, err := w.store.Target(w.ctx, []store.Targeted{{ID: id, Sorted: store.Folder{Path: "/srv/docusort/sorted"}, Target: target}})
	w.ok(err)
	_, err = w.store.Moved(w.ctx, []int64{id})
	w.ok(err)
}

func (w *world) fail(source, reason string) {
	w.t.Helper()
	w.move(w.admit(store.Admission{Source: source, Failure: reason}), "_failed/"+filepath.Base(source))
}

// stuck makes a document that may not be read, for long.
func (w *world) stuck(source string) {
	w.t.Helper()
	w.admit(store.Admission{Source: source, Blocked: "not readable <b>"})
	_, err := w.store.MarkStuck(w.ctx, time.Now())
	w.ok(err)
}

// contains says which of the texts are missing.
func (w *world) contains(text string, want ...string) {
	w.t.Helper()
	for _, s := range want {
		if !strings.Contains(text, s) {
			w.t.Errorf("%q is missing in:\n%s", s, text)
		}
	}
}
