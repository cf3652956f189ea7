package pipeline

import (
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

// Config says what the pipeline works with and how. Every field without another
// word must be set; settings are checked where they are read.
type Config struct {
	Store   *store.Store
	Service Service
	Keys    docutray.KeySource
	// Files gives the settled files of the inbox, as paths relative to it. Once it is
	// closed, and everything that can be finished is, Run returns.
	Files  <-chan string
	Inbox  string // absolute
	Sorted string // absolute
	Mover  *filing.Mover
	Logger *slog.Logger // nil: discard

	DocumentTypes []string
	Metadata      json.RawMessage // nil: none

	Workers           int
	MaxPending        int
	RequestsPerMinute int // 0: no limit of ours
	PollMin, PollMax  time.Duration
	JobTimeout        time.Duration
	MaxAttempts       int
	MinConfidence     float64
	ReuseResults      time.Duration // 0: never
	Sidecar           bool
	KeepHistory       time.Duration // how long finished documents stay in the database; 0: for ever
	Settle            time.Duration // how long to leave a file alone that changed
	Rescan            time.Duration // how often to look at what could not be done
	ShutdownGrace     time.Duration

	// OnStep, where not nil, is called at each step, by any goroutine. Never set
	// outside tests.
	OnStep func(Step)
}

// Pipeline takes documents from the inbox into their folders.
type Pipeline struct {
	Config
	log  *slog.Logger
	gate *gate.Gate
	ages *jobAges

	// Each wakes one loop.
	dispatchNow, parkedNow, fileNow, sweepNow signal

	emptied  *emptyFolders
	admitted chan struct{} // closed when every file that came was admitted
	loops    loops
	diskWait atomic.Int64 // how many wait for the disk of the database
}

// signal wakes one goroutine. Signals that come while it is awake are one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// New makes a pipeline. It starts nothing.
func New(cfg Config) *Pipeline {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Pipeline{
		Config: cfg, log: log, ages: newJobAges(cfg.PollMin, cfg.PollMax),
		dispatchNow: newSignal(), parkedNow: newSignal(), fileNow: newSignal(), sweepNow: newSignal(),
		gate:    gate.New(gate.Config{RequestsPerMinute: cfg.RequestsPerMinute, Keys: cfg.Keys, Ping: cfg.Service.Ping}),
		emptied: newEmptyFolders(), admitted: make(chan struct{}),
	}
}

// Run works until ctx is done, or until Files is closed and all is finished that
// can be. Then no upload is begun, those under way have ShutdownGrace to end, and it
// returns when nothing of it runs any more: nil, or what made it impossible to go
// on. [ErrLeft]: Files was closed, and documents are left.
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
	begin("database", p.awaitDamage)
	begin("holds", p.showHolds)
	begin("take up the work of an earlier run", func(ctx context.Context) error {
		jobs, err := p.takeUp(ctx)
		if err != nil {
			return err
		}
		begin("admit", p.admitAll)
		begin("dispatch", func(context.Context) error { return p.dispatch(l, jobs) })
		begin("file", func(context.Context) error { return p.fileAll(l) })
		begin("removed files", p.sweepAll)
		begin("empty folders", p.removeEmptyFolders)
		begin("history", p.pruneAll)
		begin("finish", p.awaitEnd)
		return nil
	})
	return g.Wait()
}

// takeUp puts in order what an earlier run left, and returns the documents whose
// jobs are in flight.
func (p *Pipeline) takeUp(ctx context.Context) ([]store.Document, error) {
	cutOff, err := write(ctx, p, p.Store.Recover)
	if err != nil {
		return nil, err
	}
	if cutOff > 0 {
		p.log.Warn("uploads were interrupted; whether the service received them is unknown", "documents", cutOff)
	}
	accepted, err := read(ctx, p, func(ctx context.Context) (bool, error) {
		return p.Store.AcceptedWith(ctx, p.DocumentTypes)
	})
	if err != nil {
		return nil, err
	}
	p.gate.SetAccepted(accepted)
	ages, err := read(ctx, p, func(ctx context.Context) ([]time.Duration, error) {
		return p.Store.JobTimes(ctx, agesKept)
	})
	if err != nil {
		return nil, err
	}
	for _, age := range ages {
		p.ages.add(age)
	}
	return read(ctx, p, p.Store.Pending)
}

// lifetimes are the contexts of what may not end all at once.
type lifetimes struct {
	work   context.Context // until the stop: begins new things
	finish context.Context // until the grace is over: what is under way
	store  context.Context // a little longer: what must be stored once it happened
}

// storeTimeout is how long something may take to be stored that must be, although
// the daemon stops.
const storeTimeout = 10 * time.Second

func (p *Pipeline) lifetimes(ctx context.Context) (lifetimes, context.CancelFunc) {
	finish, endFinish := outlive(ctx, p.ShutdownGrace)
	store, endStore := outlive(ctx, p.ShutdownGrace+storeTimeout)
	return lifetimes{work: ctx, finish: finish, store: store}, func() { endFinish(); endStore() }
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		sleep(longer, by)
		end()
	})
	return longer, func() { unhook(); end() }
}

// Known reports whether a file of the inbox, in exactly this shape, is being taken
// care of; see watcher.Config.
func (p *Pipeline) Known(ctx context.Context, path string, info fs.FileInfo) (bool, error) {
	id, ok := filing.IdentityOf(info)
	if !ok {
		return false, nil
	}
	return p.Store.Known(ctx, path, store.Identity(id))
}

// RetryNow ends every pause: whatever waits to be tried again is tried at once.
func (p *Pipeline) RetryNow(ctx context.Context) {
	p.gate.RetryNow()
	p.endPauses(ctx, true)
	p.sweepNow.wake()
}

// sleep waits; false means that ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// at returns a channel that gives the time when t has come; nil, which never gives
// anything, for the zero time.
func at(t time.Time) <-chan time.Time {
	if t.IsZero() {
		return nil
	}
	return time.After(time.Until(t))
}
