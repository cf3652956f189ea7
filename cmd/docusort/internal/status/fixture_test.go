package status

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
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
	cfg := Config{Addr: "127.0.0.1:0", Database: w.path, Version: "1.2.3", Commit: "abc",
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

// drop admits a file of its own content.
func (w *world) drop(source string) int64 {
	w.t.Helper()
	w.n++
	sum := sha256.Sum256(fmt.Append(nil, w.n))
	got, err := w.store.Admit(w.ctx, store.Admission{
		Inbox: store.Folder{Path: "/srv/docusort/inbox"}, Source: source, SHA256: sum[:],
		Identity: store.Identity{Inode: uint64(w.n), Size: 123_456}, ContentType: "application/pdf", Options: []string{"invoice"},
	})
	w.ok(err)
	return got.ID
}

func (w *world) pend(source string) int64 {
	w.t.Helper()
	id := w.drop(source)
	w.ok(w.store.Submitting(w.ctx, id, []string{"invoice"}))
	w.ok(w.store.Accepted(w.ctx, id, fmt.Sprintf("job-%d", id)))
	return id
}

// file takes a document all the way.
func (w *world) file(source, kind string) int64 {
	w.t.Helper()
	id := w.pend(source)
	w.ok(w.store.Identified(w.ctx, id, store.Answer{Type: kind, Confidence: 0.97, Outcome: store.Filed}))
	w.move(id, kind+"/"+filepath.Base(source))
	return id
}

func (w *world) move(id int64, target string) {
	w.t.Helper()
	_, err := w.store.Target(w.ctx, []store.Targeted{{ID: id, Sorted: "/srv/docusort/sorted", Target: target}})
	w.ok(err)
	w.ok(w.store.Moved(w.ctx, []int64{id}))
}

func (w *world) fail(source, reason string) {
	w.t.Helper()
	w.n++
	got, err := w.store.Admit(w.ctx, store.Admission{
		Inbox: store.Folder{Path: "/srv/docusort/inbox"}, Source: source, Failure: reason,
		Identity: store.Identity{Inode: uint64(w.n), Size: 99}, Options: []string{"invoice"},
	})
	w.ok(err)
	w.move(got.ID, "_failed/"+filepath.Base(source))
}

// history fills the record with what an office drops in the hours before now.
func (w *world) history(n int, back time.Duration) {
	w.t.Helper()
	w.file("seed.pdf", "invoice") // so that the folders and the options are known
	db, err := sql.Open("sqlite3", "file:"+w.path+"?_busy_timeout=10000")
	w.ok(err)
	defer db.Close()
	tx, err := db.Begin()
	w.ok(err)
	rnd := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"invoice", "invoice", "invoice", "receipt", "receipt", "contract", "delivery_note", "purchase_order_confirmation", "other"}
	reasons := []string{"unsupported format: Word document", "unsupported format: e-mail", "the service could not read it: page 2 is blank", "empty"}
	now := time.Now()
	for i := range n {
		at := now.Add(-time.Duration(float64(back) * float64(n-i) / float64(n)))
		if h := at.Hour(); (h < 7 || h > 18) && rnd.IntN(8) > 0 {
			continue
		}
		took := time.Duration(2+rnd.ExpFloat64()*5) * time.Second
		if i > n/2 && i < n/2+n/30 {
			took += time.Duration(rnd.IntN(3600)) * time.Second // the service was away
		}
		state, kind, reason, folder := "filed", any(kinds[rnd.IntN(len(kinds))]), any(nil), ""
		switch r := rnd.IntN(40); {
		case r < 3:
			state, folder = "review", "_review/"
		case r == 3:
			state, kind, reason = "failed", nil, reasons[rnd.IntN(len(reasons))]
		}
		name := fmt.Sprintf("scanner-%d/Scan_%s_%04d.pdf", i%3, at.Format("2006-01-02"), i)
		target := fmt.Sprintf("%s%v/%s", folder, kind, filepath.Base(name))
		if state == "failed" {
			target = "_failed/" + filepath.Base(name)
		}
		_, err := tx.Exec(`INSERT INTO documents (inbox, source, state, device, inode, size, modified, changed, sha256, content_type,
				discovered_at, submitted_at, identified_at, finished_at, options, job_id, submissions, attempts, polls,
				type, confidence, outcome, sorted, target, error)
			SELECT inbox, ?1, ?2, 0, 0, ?3, 0, 0, randomblob(32), 'application/pdf', ?4, ?5, ?6, ?6, options,
				iif(?2 = 'failed', NULL, 'job-x' || ?11), 1, 1, 3, ?7, ?8, ?2, sorted, ?9, ?10 FROM documents LIMIT 1`,
			name, state, 20_000+rnd.IntN(4_000_000), at.Add(-took).UnixMilli(), at.Add(-took+300*time.Millisecond).UnixMilli(), at.UnixMilli(),
			kind, 0.6+0.4*rnd.Float64(), target, reason, i)
		w.ok(err)
	}
	w.ok(tx.Commit())
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
