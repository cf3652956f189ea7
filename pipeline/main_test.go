package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a pipeline with all that it works on: folders, a record, and a service
// that is a stand-in.
type rig struct {
	t             *testing.T
	inbox, sorted string
	service       *docutraytest.Server
	options       docutraytest.Options
	line          line
	store         *store.Store
	disk          disk // of the record
	cfg           Config
	files         chan string
	log           *logbook
	p             *Pipeline
	stop          context.CancelFunc
	ended         chan error
	seen          int64            // the newest record that ids has
	ids           map[string]int64 // the newest record of a place

	mu    sync.Mutex
	kinds map[string]docutraytest.TypeScore // by hash
}

// bubble runs a test with a rig in virtual time. The times of files stay real.
func bubble(t *testing.T, o docutraytest.Options, test func(r *rig), settings ...func(*Config)) {
	t.Helper()
	base := fastDir(t)
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
		log: &logbook{next: slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})}, kinds: make(map[string]docutraytest.TypeScore), ids: make(map[string]int64),
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
		Settle: 5 * time.Second, Rescan: time.Minute, ShutdownGrace: 25 * time.Second,
	}
	return r
}

// line leads to the service, which may be another one after a while.
type line struct {
	to atomic.Pointer[docutraytest.Server]
}

func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	return l.to.Load().Transport().RoundTrip(req)
}

func (r *rig) connect(o docutraytest.Options) {
	r.service = docutraytest.New(o)
	r.line.to.Store(r.service)
}

// swapLatency goes on with a service that takes another time for a job, and
// knows no job.
func (r *rig) swapLatency(d time.Duration) {
	o := r.options
	o.Latency = d
	r.connect(o)
}

// fastDir is a temporary folder where a sync costs nothing, if there is one.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "pipeline")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start makes a pipeline over the record and runs it.
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

// halt stops the pipeline in good order and returns what Run did.
func (r *rig) halt() error {
	if r.ended == nil {
		return nil
	}
	r.stop()
	return r.wait()
}

// wait returns what Run returns once it does.
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

// pdf returns the content of a document that nothing else has the same of.
// submitting and accepted take a document on as a daemon would.
func (r *rig) submitting(id int64) {
	r.t.Helper()
	_, err := r.store.Submitting(bg, id, store.SubmitRequest{Options: r.cfg.DocumentTypes})
	must(r.t, err)
}

func (r *rig) accepted(id int64, job string) {
	r.t.Helper()
	err := r.store.Accepted(bg, id, job)
	must(r.t, err)
}

func (r *rig) identified(id int64, a store.Answer) {
	r.t.Helper()
	err := r.store.Identified(bg, id, a)
	must(r.t, err)
}

// goesRound fails the test where a loop stands still that has work.
func (r *rig) goesRound() {
	r.t.Helper()
	if late := r.p.Late(time.Second); late != "" {
		r.t.Errorf("%s stands still", late)
	}
}

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

// logbook keeps what was logged, and hands it on.
type logbook struct {
	next    slog.Handler
	mu      sync.Mutex
	records []slog.Record
}

func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (l *logbook) WithAttrs(a []slog.Attr) slog.Handler     { return logbookWith{l, l.next.WithAttrs(a)} }
func (l *logbook) WithGroup(string) slog.Handler            { return l }
func (l *logbook) Handle(ctx context.Context, rec slog.Record) error {
	l.mu.Lock()
	l.records = append(l.records, rec)
	l.mu.Unlock()
	return l.next.Handle(ctx, rec)
}

type logbookWith struct {
	*logbook
	with slog.Handler
}

func (l logbookWith) WithAttrs(a []slog.Attr) slog.Handler {
	return logbookWith{l.logbook, l.with.WithAttrs(a)}
}

func (l logbookWith) Handle(ctx context.Context, rec slog.Record) error {
	l.mu.Lock()
	l.records = append(l.records, rec)
	l.mu.Unlock()
	return l.with.Handle(ctx, rec)
}

// count returns how often a message was logged.
func (l *logbook) count(message string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, rec := range l.records {
		if rec.Message == message {
			n++
		}
	}
	return n
}
