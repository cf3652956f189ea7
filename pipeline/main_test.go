package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"docusort/pipeline/docutray"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a pipeline with all that it works with: folders, a database, and a stand-in for
// the service.
type rig struct {
	t             *testing.T
	inbox, sorted string
	service       *docutraytest.Server
	options       docutraytest.Options
	line          line
	store         *store.Store
	disk          disk // of the database
	cfg           Config
	files         chan string
	log           logbook
	p             *Pipeline
	stop          context.CancelFunc
	ended         chan error
	seen          int64            // the newest document in ids
	ids           map[string]int64 // the newest document of a place

	mu    sync.Mutex
	kinds map[string]docutraytest.TypeScore // by hash
}

// bubble runs a test with a rig in virtual time. The times of files stay real.
func bubble(t *testing.T, o docutraytest.Options, test func(r *rig), settings ...func(*Config)) {
	t.Helper()
	bubbleIn(t, fastDir(t), o, test, settings...)
}

// bubbleIn does so in a folder.
func bubbleIn(t *testing.T, base string, o docutraytest.Options, test func(r *rig), settings ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, base, o)
		defer r.close()
		for _, set := range settings {
			set(&r.cfg)
		}
		test(r)
	})
}

func newRig(t *testing.T, base string, o docutraytest.Options) *rig {
	r := &rig{
		t: t, inbox: filepath.Join(base, "inbox"), sorted: filepath.Join(base, "sorted"),
		log: newLogbook(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})), kinds: make(map[string]docutraytest.TypeScore), ids: make(map[string]int64),
	}
	must(t, os.MkdirAll(r.inbox, 0o755))
	must(t, os.MkdirAll(r.sorted, 0o755))
	if o.Latency == 0 {
		o.Latency = 3 * time.Second
	}
	o.Identify = r.identify
	r.options = o
	r.connect(o)
	var err error
	r.store, err = store.Open(t.Context(), store.Config{Path: filepath.Join(base, "docusort.db"), Logger: slog.New(r.log), Fault: r.disk.fails})
	must(t, err)
	must(t, r.store.Started(t.Context(), 1))
	keys := docutray.StaticKey(docutraytest.DefaultKey)
	client, err := docutray.New(docutray.Config{
		BaseURL: "http://127.0.0.1:1", Key: keys, UserAgent: "test", Transport: &r.line,
	})
	must(t, err)
	r.cfg = Config{
		Store: r.store, Service: client, Keys: keys, Inbox: r.inbox, Sorted: r.sorted,
		Mover: filing.NewMover(filing.Options{}), Logger: slog.New(r.log),
		DocumentTypes: []string{"invoice", "receipt", "contract"},
		Workers:       4, MaxPending: 100, PollMin: 500 * time.Millisecond, PollMax: 30 * time.Second,
		JobTimeout: time.Hour, MaxAttempts: 5, ReuseResults: 720 * time.Hour,
		Settle: 5 * time.Second, Rescan: time.Minute, StuckAfter: 15 * time.Minute, ShutdownGrace: 25 * time.Second,
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start makes a pipeline and runs it.
func (r *rig) start() {
	r.t.Helper()
	if r.ended != nil {
		r.t.Fatal("it runs already")
	}
	r.files = make(chan string)
	cfg := r.cfg
	cfg.Files = r.files
	r.p = New(cfg)
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.ended = stop, make(chan error, 1)
	ended := r.ended
	p := r.p
	go func() { ended <- p.Run(ctx) }()
}

// halt stops the pipeline and returns what Run returns.
func (r *rig) halt() error {
	if r.ended == nil {
		return nil
	}
	r.stop()
	return r.wait()
}

// wait waits for the end of Run and returns what it returns.
func (r *rig) wait() error {
	err := <-r.ended
	r.stop()
	r.ended = nil
	return err
}

func (r *rig) close() {
	if err := r.halt(); err != nil {
		r.t.Errorf("Run: %v", err)
	}
	must(r.t, r.store.Close())
}

func (r *rig) reopen() {
	r.t.Helper()
	s, err := store.Open(context.Background(), store.Config{Path: filepath.Join(filepath.Dir(r.inbox), "docusort.db")})
	must(r.t, err)
	r.store, r.cfg.Store = s, s
}

// pdf returns a document with a content.
func pdf(what string) string { return "%PDF-1.4\n" + what + "\n%%EOF\n" }

// write puts a file into the inbox without telling of it. The service will find
// the type in it.
func (r *rig) write(name, content, kind string) string {
	r.t.Helper()
	r.knows(content, kind, 0.97)
	path := filepath.Join(r.inbox, name)
	must(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(r.t, os.WriteFile(path, []byte(content), 0o640))
	return name
}

// drop puts a document into the inbox and gives it to the pipeline.
func (r *rig) drop(name, content, kind string) {
	r.t.Helper()
	r.files <- r.write(name, content, kind)
}

// dropNumbered drops n documents, 0.pdf and so on.
func (r *rig) dropNumbered(n int) {
	r.t.Helper()
	for i := range n {
		r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
	}
}

func (r *rig) knows(content, kind string, confidence float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds[hashOf(content)] = docutraytest.TypeScore{Code: kind, Confidence: confidence, Name: kind}
}

func (r *rig) identify(u docutraytest.Upload) (docutraytest.Result, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kind, ok := r.kinds[u.SHA256]
	other := docutraytest.TypeScore{Code: "other", Confidence: 1 - kind.Confidence}
	return docutraytest.Result{Type: kind, Alternatives: []docutraytest.TypeScore{kind, other}}, ok
}

func hashOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

var bg = context.Background()
