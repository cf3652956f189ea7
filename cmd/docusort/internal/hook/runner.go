package hook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"docusort/store"
)

const (
	parallel   = 4                  // programs that run at a time
	firstPause = time.Second        // after a failure
	maxPause   = time.Hour          // between two runs for one event
	maxAge     = 7 * 24 * time.Hour // older events are dropped when they fail
	maxKept    = 100_000            // so are the oldest of more than this
	suspicious = 3                  // failures in a row: the program is at fault, not the event
)

// Runner runs a program for each event. A nil Runner does nothing.
type Runner struct {
	Program string
	Command string // how docusort is called with the same settings
	Store   *store.Store
	Logger  *slog.Logger
	// Grace is how long a program may go on at a stop.
	Grace time.Duration

	failed int       // in a row
	paused time.Time // nothing is run before
}

// Run runs the program for events until ctx is done, and then waits for the programs
// that run. It returns no error: a hook that fails does not stop the daemon.
func (r *Runner) Run(ctx context.Context) error {
	if r == nil {
		return nil
	}
	programs, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(r.Grace, cancel) })()
	for ctx.Err() == nil {
		ran, next := r.runDue(ctx, programs)
		if ran {
			continue
		}
		select {
		case <-r.Store.Committed():
		case <-at(next):
		case <-ctx.Done():
		}
	}
	return nil
}

// Drain runs the program once for each event that is due now, until one fails.
func (r *Runner) Drain(ctx context.Context) error {
	if r == nil {
		return nil
	}
	for ran := true; ran && r.failed == 0 && ctx.Err() == nil; {
		ran, _ = r.runDue(ctx, ctx)
	}
	return nil
}

// runDue runs the program for a few events that are due, at most one of a document,
// and waits for it. Where none is due it returns when to look again; the zero time
// means at the next commit.
func (r *Runner) runDue(ctx, programs context.Context) (ran bool, next time.Time) {
	if time.Now().Before(r.paused) {
		return false, r.paused
	}
	limit := parallel
	if r.failed >= suspicious {
		limit = 1
	}
	due, err := r.Store.DueEvents(ctx, time.Now(), limit)
	if err == nil && len(due) == 0 {
		next, err = r.Store.NextEvent(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			r.Logger.Warn("the events for the hook cannot be read", "err", err)
		}
		return false, time.Now().Add(time.Minute)
	}
	outputs, errs := make([]string, len(due)), make([]error, len(due))
	var running sync.WaitGroup
	for i := range due {
		running.Go(func() { outputs[i], errs[i] = run(programs, r.Program, r.Command, &due[i]) })
	}
	running.Wait()
	for i := range due {
		r.finish(programs, &due[i], outputs[i], errs[i])
	}
	return len(due) > 0, next
}

func (r *Runner) finish(ctx context.Context, e *store.Event, output string, err error) {
	log := r.Logger.With("event", e.Kind, "event_id", e.ID, "doc", e.Document)
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch {
	case err == nil:
		if r.failed >= suspicious {
			log.Info("hook works again")
		}
		r.failed = 0
		log.Debug("hook ran", "output", output)
		if err := r.Store.Ack(storing, e.ID); err != nil {
			log.Warn("the success of the hook could not be stored; the event is repeated", "err", err)
			r.paused = time.Now().Add(time.Minute)
		}
	case ctx.Err() == nil: // else the next run of the daemon repeats it
		r.failed++
		if r.failed <= suspicious {
			log.Warn("hook failed; it will be tried again", "err", err, "output", output, "tries", e.Tries+1)
		}
		if r.failed >= suspicious {
			r.paused = time.Now().Add(pause(r.failed - suspicious))
		}
		now := time.Now()
		dropped, err := r.Store.Nack(storing, e.ID, now.Add(pause(e.Tries)), now.Add(-maxAge), maxKept)
		if err != nil {
			log.Warn("the failure of the hook could not be stored", "err", err)
		}
		if dropped > 0 {
			log.Error("the hook failed for too long; events were dropped", "events", dropped)
		}
	}
}

// pause is how long to wait after a failure that earlier ones preceded.
func pause(earlier int) time.Duration { return min(firstPause<<min(earlier, 12), maxPause) }

// at is time.After for a point in time; the zero time never comes.
func at(t time.Time) <-chan time.Time {
	if t.IsZero() {
		return nil
	}
	return time.After(time.Until(t))
}
