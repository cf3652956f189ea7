package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/pipeline/gate"
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// Service is what the pipeline needs of the API client; see [docutray.Client].
type Service interface {
	Submit(ctx context.Context, s docutray.Submission) (jobID string, err error)
	Status(ctx context.Context, jobID string) (docutray.Status, error)
	Ping(ctx context.Context) error
}

// Config says what the pipeline works with. Every field must be set, where nothing else is
// said. The values are not checked here.
type Config struct {
	Store   *store.Store
	Service Service
	Keys    docutray.KeySource
	// Files gives the settled files of the inbox, as paths relative to it. Once it is
	// closed, Run returns when all documents are finished that can be.
	Files   <-chan string
	Inbox   string         // absolute
	Sorted  string         // absolute
	Folders filing.Folders // beneath Sorted
	// Ignore has patterns, for path.Match, of folders in which nobody files anything.
	Ignore []string
	Mover  *filing.Mover
	Logger *slog.Logger // nil: discard

	DocumentTypes []string
	Metadata      json.RawMessage // nil: none

	Workers           int
	MaxPending        int
	RequestsPerMinute int // 0: no limit
	PollMin, PollMax  time.Duration
	JobTimeout        time.Duration
	MaxAttempts       int
	MinConfidence     float64
	ReuseResults      time.Duration // 0: never
	Sidecar           bool
	KeepHistory       time.Duration // how long finished documents stay in the database; 0: for ever
	Settle            time.Duration // how long to leave a file alone that changed
	Rescan            time.Duration // how often to look for removed files, and to try again what a file prevents
	StuckAfter        time.Duration // how long a document is in trouble of its own before it is stuck
	ShutdownGrace     time.Duration
	Doctor            string // the command that checks everything, named where a person must act

	// Only tests set these. OnStep is called at each step, by any goroutine. JobPause is the
	// pause before a document's second job, two minutes where it is 0.
	OnStep   func(Step)
	JobPause time.Duration
}

// Pipeline takes documents from the inbox into their folders.
type Pipeline struct {
	Config
	gate  *gate.Gate
	ages  *jobAges
	began time.Time // of this run

	// Each wakes one loop, where there may be work for it.
	dispatchNow, parkedNow, fileNow, sweepNow signal

	admitted            chan struct{} // closed once Files is closed and all its files are admitted
	dispatching, filing heartbeat
	diskWait            atomic.Int64 // goroutines that wait for the disk of the database
	locked              folderLog
	inbox               inboxState
}

// signal wakes one goroutine, and has room for one. Several count as one while it is awake.
type signal chan struct{}

func (s signal) wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// New returns a pipeline. It starts no goroutine.
func New(cfg Config) *Pipeline {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.OnStep == nil {
		cfg.OnStep = func(Step) {}
	}
	cfg.JobPause = cmp.Or(cfg.JobPause, 2*time.Minute)
	return &Pipeline{
		Config: cfg, began: time.Now(), ages: &jobAges{min: cfg.PollMin, max: cfg.PollMax},
		dispatchNow: make(signal, 1), parkedNow: make(signal, 1), fileNow: make(signal, 1), sweepNow: make(signal, 1),
		gate:     gate.New(cfg.RequestsPerMinute, cfg.Keys, cfg.Service.Ping),
		admitted: make(chan struct{}),
	}
}

// Run works until ctx is done, or until Files is closed and all documents are finished
// that can be. Then it begins no upload, gives those under way ShutdownGrace to end, and
// returns once all its goroutines have ended: nil, or an error that made it impossible to
// go on. [ErrLeft]: Files was closed, and documents are left.
func (p *Pipeline) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l, end := p.lifetimes(ctx)
	defer end()

	var g errgroup.Group
	begin := func(name string, part func(context.Context) error) {
		g.Go(func() error {
			err := part(ctx)
			if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return nil
			}
			stop() // a part that ends with an error stops the others
			if errors.Is(err, errFinished) {
				return nil
			}
			return fmt.Errorf("%s: %w", name, err)
		})
	}
	begin("database", func(ctx context.Context) error {
		err := p.Store.Damaged(ctx) // it might no longer remember what is paid for
		return cmp.Or(err, ctx.Err())
	})
	begin("holds", p.showHolds)
	begin("recover", func(ctx context.Context) error {
		jobs, err := p.recover(ctx)
		if err = cmp.Or(err, p.finishDecisions(ctx)); err != nil {
			return err
		}
		begin("admit", p.admitAll)
		begin("dispatch", func(context.Context) error { return p.dispatch(l, jobs) })
		begin("file", func(context.Context) error { return p.fileAll(l) })
		begin("removed files", p.sweepAll)
		begin("stuck", p.markStuck)
		begin("history", p.pruneAll)
		begin("finish", p.awaitEnd)
		return nil
	})
	return g.Wait()
}

// recover takes over from an earlier run, and returns the documents whose jobs are under
// way.
func (p *Pipeline) recover(ctx context.Context) ([]store.Document, error) {
	interrupted, err := write(ctx, p, p.Store.Recover)
	if err != nil {
		return nil, err
	}
	if interrupted > 0 {
		p.Logger.Warn("uploads were interrupted; whether the service received them is unknown", "documents", interrupted)
	}
	return read(ctx, p, func(ctx context.Context) ([]store.Document, error) {
		accepted, unnamed, err1 := p.Store.AcceptedWith(ctx, p.DocumentTypes)
		ages, err2 := p.Store.JobTimes(ctx, agesKept)
		jobs, err3 := p.Store.Pending(ctx)
		p.gate.Recall(accepted, unnamed)
		p.ages.ages = ages
		return jobs, errors.Join(err1, err2, err3)
	})
}

// lifetimes are the contexts for what ends at a stop, one after the other.
type lifetimes struct {
	work   context.Context // new work: ends with the stop
	finish context.Context // uploads and moves under way: ends after the grace
	store  context.Context // changes that must be stored: ends 10 s later
}

func (p *Pipeline) lifetimes(ctx context.Context) (lifetimes, context.CancelFunc) {
	finish, endFinish := outlive(ctx, p.ShutdownGrace)
	store, endStore := outlive(ctx, p.ShutdownGrace+10*time.Second)
	return lifetimes{work: ctx, finish: finish, store: store}, func() { endFinish(); endStore() }
}

// outlive returns a context that ends some time after ctx does.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		sleep(longer, by)
		end()
	})
	return longer, func() { unhook(); end() }
}

// Known reports whether a file of the inbox, exactly as info describes it, has an
// unfinished document that needs no new look at the file; see watcher.Config.
func (p *Pipeline) Known(ctx context.Context, path string, info fs.FileInfo) (bool, error) {
	id, ok := filing.IdentityOf(info)
	if !ok {
		return false, nil
	}
	return p.Store.Known(ctx, path, store.Identity(id))
}

// RetryNow ends every pause: everything that waits to be tried again is tried at once.
func (p *Pipeline) RetryNow(ctx context.Context) {
	p.endPauses(ctx, true)
	p.gate.RetryNow()
	p.sweepNow.wake()
}

// sleep waits for a time and reports whether ctx has not ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// at returns a channel that receives at a time; nil, which blocks forever, for the zero
// time.
func at(t time.Time) <-chan time.Time {
	if t.IsZero() {
		return nil
	}
	return time.After(time.Until(t))
}
