package hook

import (
	"context"
	"log/slog"
	"time"

	"docusort/store"
)

const (
	atOnce     = 4                  // programs that run beside each other
	firstPause = time.Second        // after a failure
	longest    = time.Hour          // between two tries of one event
	tooOld     = 7 * 24 * time.Hour // what could not be told for so long is dropped
	mostKept   = 100_000            // and what is more than this
	suspicious = 3                  // failures in a row: it is the program, not the event
)

// Runner tells a program of events. A nil Runner tells nobody.
type Runner struct {
	Program string
	Path    string // PATH for it; "" for the usual
	Store   *store.Store
	Logger  *slog.Logger
	// Grace is how long a program that runs may go on at a stop.
	Grace time.Duration
}

// told is the end of a run of the program.
type told struct {
	event  store.Event
	output string
	err    error
}

// state is what Run knows; one goroutine owns it.
type state struct {
	running map[int64]bool // by event
	results chan told
	failed  int       // in a row
	until   time.Time // nothing is told before
}

// Run tells of events until ctx is done, and then waits for the programs that
// run. It returns no error: that nobody is told is no reason to stop the work.
func (r *Runner) Run(ctx context.Context) error {
	if r == nil {
		return nil
	}
	s := state{running: map[int64]bool{}, results: make(chan told)}
	telling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(r.Grace):
			cancel()
		case <-telling.Done():
		}
	})()
	for ctx.Err() == nil {
		next := r.begin(ctx, telling, &s)
		select {
		case <-r.Store.Committed():
		case t := <-s.results:
			r.ended(telling, &s, t)
		case <-at(next):
		case <-ctx.Done():
		}
	}
	for len(s.running) > 0 {
		r.ended(telling, &s, <-s.results)
	}
	return nil
}

// Drain tells, once, of what may be told now, until one fails.
func (r *Runner) Drain(ctx context.Context) error {
	if r == nil {
		return nil
	}
	s := state{running: map[int64]bool{}, results: make(chan told)}
	for s.failed == 0 && ctx.Err() == nil {
		r.begin(ctx, ctx, &s)
		if len(s.running) == 0 {
			return nil
		}
		r.ended(ctx, &s, <-s.results)
	}
	for len(s.running) > 0 {
		r.ended(ctx, &s, <-s.results)
	}
	return nil
}

// begin runs the program for what is due, and returns when there will be more;
// zero: when something is committed or ends.
func (r *Runner) begin(ctx, telling context.Context, s *state) time.Time {
	if time.Now().Before(s.until) {
		return s.until
	}
	free := atOnce - len(s.running)
	if s.failed >= suspicious {
		free = 1 - len(s.running)
	}
	if free <= 0 {
		return time.Time{}
	}
	due, err := r.Store.DueEvents(ctx, time.Now(), atOnce+len(s.running))
	if err != nil {
		if ctx.Err() == nil {
			r.Logger.Warn("what the hook is to be told cannot be read", "err", err)
		}
		return time.Now().Add(time.Minute)
	}
	for _, e := range due {
		if free > 0 && !s.running[e.ID] {
			free--
			s.running[e.ID] = true
			go func() {
				output, err := tell(telling, r.Program, r.Path, &e)
				s.results <- told{e, output, err}
			}()
		}
	}
	if len(s.running) > 0 {
		return time.Time{}
	}
	next, err := r.Store.NextEvent(ctx)
	if err != nil {
		return time.Now().Add(time.Minute)
	}
	return next
}

// ended stores what came of a run.
func (r *Runner) ended(ctx context.Context, s *state, t told) {
	delete(s.running, t.event.ID)
	log := r.Logger.With("event", t.event.Kind, "event_id", t.event.ID, "doc", t.event.Document)
	stored, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if t.err == nil {
		if s.failed >= suspicious {
			log.Info("the hook works again")
		}
		s.failed = 0
		log.Debug("hook told", "output", t.output)
		if err := r.Store.Told(stored, t.event.ID); err != nil {
			log.Warn("that the hook was told could not be stored; it is told again", "err", err)
			s.until = time.Now().Add(time.Minute)
		}
		return
	}
	if ctx.Err() != nil {
		return // the next run tells it again
	}
	s.failed++
	if s.failed <= suspicious {
		log.Warn("hook failed; it is tried again", "err", t.err, "output", t.output, "tries", t.event.Tries+1)
	}
	again := time.Now().Add(pause(t.event.Tries))
	if s.failed >= suspicious {
		s.until = time.Now().Add(pause(s.failed - suspicious))
	}
	dropped, err := r.Store.NotTold(stored, t.event.ID, again, time.Now().Add(-tooOld), mostKept)
	if err != nil {
		log.Warn("that the hook failed could not be stored", "err", err)
	}
	if dropped > 0 {
		log.Error("the hook was not told for too long; events are dropped", "events", dropped)
	}
}

// pause is how long to wait after a failure that others came before.
func pause(before int) time.Duration { return min(firstPause<<min(before, 12), longest) }

// at is time.After for a point in time; the zero time never comes.
func at(t time.Time) <-chan time.Time {
	if t.IsZero() {
		return nil
	}
	return time.After(time.Until(t))
}
