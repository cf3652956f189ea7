package hook

import (
	"context"
	"log/slog"
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
	Path    string // PATH of the program; "" for the usual one
	Store   *store.Store
	Logger  *slog.Logger
	// Grace is how long a program may go on at a stop.
	Grace time.Duration
}

// result is the end of one run of the program.
type result struct {
	event  store.Event
	output string
	err    error
}

// state belongs to the goroutine of Run or Drain.
type state struct {
	running map[int64]bool // by event
	results chan result
	failed  int       // in a row
	paused  time.Time // nothing is run before
}

func newState() *state { return &state{running: map[int64]bool{}, results: make(chan result)} }

// Run runs the program for events until ctx is done, and then waits for the programs
// that run. It returns no error: a hook that fails does not stop the daemon.
func (r *Runner) Run(ctx context.Context) error {
	if r == nil {
		return nil
	}
	s := newState()
	programs, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(r.Grace):
			cancel()
		case <-programs.Done():
		}
	})()
	for ctx.Err() == nil {
		next := r.startDue(ctx, programs, s)
		select {
		case <-r.Store.Committed():
		case res := <-s.results:
			r.finish(programs, s, res)
		case <-at(next):
		case <-ctx.Done():
		}
	}
	r.wait(programs, s)
	return nil
}

// Drain runs the program once for each event that is due now, until one fails.
func (r *Runner) Drain(ctx context.Context) error {
	if r == nil {
		return nil
	}
	s := newState()
	for s.failed == 0 && ctx.Err() == nil {
		r.startDue(ctx, ctx, s)
		if len(s.running) == 0 {
			return nil
		}
		r.finish(ctx, s, <-s.results)
	}
	r.wait(ctx, s)
	return nil
}

func (r *Runner) wait(ctx context.Context, s *state) {
	for len(s.running) > 0 {
		r.finish(ctx, s, <-s.results)
	}
}

// startDue runs the program for what is due, and returns when to look again. The zero
// time means: when something is committed or a program ends.
func (r *Runner) startDue(ctx, programs context.Context, s *state) time.Time {
	if time.Now().Before(s.paused) {
		return s.paused
	}
	free := parallel - len(s.running)
	if s.failed >= suspicious {
		free = 1 - len(s.running)
	}
	if free <= 0 {
		return time.Time{}
	}
	due, err := r.Store.DueEvents(ctx, time.Now(), parallel+len(s.running))
	if err != nil {
		if ctx.Err() == nil {
			r.Logger.Warn("the events for the hook cannot be read", "err", err)
		}
		return time.Now().Add(time.Minute)
	}
	for _, e := range due {
		if free > 0 && !s.running[e.ID] {
			free--
			s.running[e.ID] = true
			go func() {
				output, err := run(programs, r.Program, r.Path, &e)
				s.results <- result{e, output, err}
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

// finish stores the end of one run.
func (r *Runner) finish(ctx context.Context, s *state, res result) {
	delete(s.running, res.event.ID)
	log := r.Logger.With("event", res.event.Kind, "event_id", res.event.ID, "doc", res.event.Document)
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch {
	case res.err == nil:
		if s.failed >= suspicious {
			log.Info("hook works again")
		}
		s.failed = 0
		log.Debug("hook ran", "output", res.output)
		if err := r.Store.Told(storing, res.event.ID); err != nil {
			log.Warn("the success of the hook could not be stored; the event is repeated", "err", err)
			s.paused = time.Now().Add(time.Minute)
		}
	case ctx.Err() == nil: // else the next run of the daemon repeats it
		r.fail(storing, s, res, log)
	}
}

func (r *Runner) fail(ctx context.Context, s *state, res result, log *slog.Logger) {
	s.failed++
	if s.failed <= suspicious {
		log.Warn("hook failed; it will be tried again", "err", res.err, "output", res.output, "tries", res.event.Tries+1)
	}
	if s.failed >= suspicious {
		s.paused = time.Now().Add(pause(s.failed - suspicious))
	}
	again := time.Now().Add(pause(res.event.Tries))
	dropped, err := r.Store.NotTold(ctx, res.event.ID, again, time.Now().Add(-maxAge), maxKept)
	if err != nil {
		log.Warn("the failure of the hook could not be stored", "err", err)
	}
	if dropped > 0 {
		log.Error("the hook failed for too long; events were dropped", "events", dropped)
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
