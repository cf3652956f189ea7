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
	"docusort/store"

	"golang.org/x/sync/errgroup"
)

// Service is what the pipeline needs of the API client; see [docutray.Client].
type Service interface {
	Submit(ctx context.Context, s docutray.Submission) (jobID string, err error)
	Status(ctx context.Context, jobID string) (docutray.Status, error)
	Ping(ctx context.Context) error
}

// Config says what the pipeline works with and how. Every field without
// another word must be set; settings are checked where they are read.
type Config struct {
	Store   *store.Store
	Service Service
	Keys    docutray.KeySource
	// Files gives the settled files of the inbox, as paths relative to it. Once
	// it is closed, and everything that can be finished is, Run returns.
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
	KeepHistory       time.Duration // how long finished documents stay in the record; 0: for ever
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
	gate *gate

	submitWake, fileWake, slotFreed signal
	retryNow, moveNow, sweepNow     signal              // told by Look
	accepted                        chan store.Document // jobs for the poller
	sums                            *sums               // of what was read
	emptied                         *folders            // of the inbox, that lost a file
	noMoreFiles                     chan struct{}       // closed when every file that came was admitted
	pulses                          pulses

	inFlight  atomic.Int64 // jobs at the service and uploads under way
	uploading atomic.Int64
	begun     atomic.Int64 // submissions, ever
	// stuckAside are documents that failed and cannot be moved aside: the record
	// keeps why they failed, not why they stay.
	stuckAside atomic.Int64
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
		Config: cfg, log: log,
		gate:       newGate(cfg.RequestsPerMinute, cfg.Keys, cfg.Service.Ping, log),
		submitWake: newSignal(), fileWake: newSignal(), slotFreed: newSignal(),
		retryNow: newSignal(), moveNow: newSignal(), sweepNow: newSignal(),
		accepted: make(chan store.Document, cfg.Workers),
		sums:     newSums(), emptied: newFolders(), noMoreFiles: make(chan struct{}), pulses: newPulses(),
	}
}

// Run works until ctx is done, or until Files is closed and all is finished that
// can be. Then no upload is begun, those under way have ShutdownGrace to end,
// and it returns when nothing of it runs any more: nil, or what made it
// impossible to go on. [ErrLeft]: Files was closed, and documents are left.
func (p *Pipeline) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l, end := p.lifetimes(ctx)
	defer end()

	var g errgroup.Group // a stage that ends with an error stops the others
	begin := func(name string, stage func(context.Context) error) {
		g.Go(func() error {
			err := stage(ctx)
			if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
				return nil
			}
			stop()
			if errors.Is(err, errFinished) {
				return nil
			}
			return fmt.Errorf("%s: %w", name, err)
		})
	}
	begin("record", p.awaitDamage)
	begin("holds", p.recordHolds)
	begin("take up the work of an earlier run", func(ctx context.Context) error {
		pending, err := p.takeUp(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil // stopped before anything was begun
		case err != nil:
			return err
		}
		p.inFlight.Store(int64(len(pending)))
		begin("admit", p.admitAll)
		begin("submit", func(context.Context) error { return p.submitAll(l) })
		begin("poll", func(ctx context.Context) error { return p.pollAll(ctx, pending) })
		begin("file", func(context.Context) error { return p.fileAll(l) })
		begin("sweep", p.sweepAll)
		begin("tidy", p.tidyFolders)
		begin("forget", p.forgetAll)
		begin("finish", p.awaitEnd)
		return nil
	})
	return g.Wait()
}

// takeUp puts in order what an earlier run left, and returns the jobs in flight.
func (p *Pipeline) takeUp(ctx context.Context) ([]store.Document, error) {
	begun := p.pulses.notBegun()
	defer begun()
	var n int64
	err := p.durable(ctx, func(ctx context.Context) (err error) {
		n, err = p.Store.Recover(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if n > 0 {
		p.log.Warn("uploads were cut off when the daemon ended; whether they made jobs is not known", "documents", n)
	}
	return asked(ctx, p, nil, p.Store.Pending)
}

// lifetimes are the contexts of what may not end all at once.
type lifetimes struct {
	work   context.Context // until the stop: begins new things
	finish context.Context // until the grace is over: what is under way
	store  context.Context // a little longer: what must be stored once it happened
}

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

// Known says whether a file of the inbox, in exactly this shape, is being taken
// care of; see watcher.Config.
func (p *Pipeline) Known(ctx context.Context, path string, info fs.FileInfo) (bool, error) {
	id, ok := filing.IdentityOf(info)
	if !ok {
		return false, nil
	}
	return p.Store.Known(ctx, path, store.Identity(id))
}

// Look makes the pipeline try again at once what it waits to try again, whatever
// the reason.
func (p *Pipeline) Look() {
	p.gate.probeNow()
	p.retryNow.wake()
	p.moveNow.wake()
	p.sweepNow.wake()
}

// Activity is what the pipeline does at the moment.
type Activity struct {
	Uploading int // uploads under way
	InFlight  int // jobs at the service and uploads under way
}

// Activity returns what the pipeline does at the moment.
func (p *Pipeline) Activity() Activity {
	return Activity{Uploading: int(p.uploading.Load()), InFlight: int(p.inFlight.Load())}
}

// Limits of the waits for a disk that may have room again.
const (
	firstDiskWait   = time.Second
	longestDiskWait = time.Minute
)

// durable runs a transition of the record until it is stored. A disk that is
// full or broken is waited for, while nothing new is submitted; every other
// error, and the end of ctx, ends it.
func (p *Pipeline) durable(ctx context.Context, transition func(context.Context) error) error {
	return p.outlast(ctx, database, nil, transition)
}

// storeTimeout is how long something may take to be stored that must be, although
// the daemon stops.
const storeTimeout = 10 * time.Second

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
