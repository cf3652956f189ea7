package status

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"docusort/store"
)

const (
	// readEvery is the shortest time between two readings of the database.
	readEvery = time.Second
	// readShare limits the time spent on reading a page: to one part in so many.
	readShare = 10
	// allShare does so for all pages together.
	allShare = 2
	// readTimeout limits one reading.
	readTimeout = 30 * time.Second
	// staleAfter is when to read again although nothing was written: ages grow, and
	// holds end.
	staleAfter = 15 * time.Second
	// burst is how far views may be ahead of their share of the time.
	burst = 10 * time.Second
	// maxWait is how long a page that was not shown before waits for its turn.
	maxWait = 15 * time.Second
	// maxViews is how many different pages are remembered: one for each that follows.
	maxViews = maxViewers
)

// cache reads the database for all who ask, and remembers what it read.
type cache struct {
	cfg   Config
	begun time.Time

	mu    sync.Mutex // of last and tally
	last  *daemonState
	tally *tally

	reading sync.Mutex // of the rest; health and metrics wait for no page
	views   map[query]*view
	paidOff time.Time // when reading views will have taken its share of the time
}

func newCache(cfg Config) *cache {
	return &cache{cfg: cfg, begun: time.Now(), views: make(map[query]*view), tally: newTally(time.Now())}
}

// reading is when something was read, how long that took, and the state of the
// database's files by then.
type reading struct {
	at    time.Time
	cost  time.Duration
	files [2]fileState
}

type fileState struct {
	size int64
	at   time.Time
}

func (c *cache) files() (s [2]fileState) {
	for i, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(c.cfg.Database + suffix); err == nil {
			s[i] = fileState{info.Size(), info.ModTime()}
		}
	}
	return s
}

// fresh reports whether there is no need to read again.
func (c *cache) fresh(last reading) bool {
	age := time.Since(last.at)
	return age < max(readEvery, readShare*last.cost) || age < staleAfter && last.files == c.files()
}

// read opens the database for f, and measures what that costs.
func (c *cache) read(f func(context.Context, *store.Reader) error) (reading, error) {
	now := reading{files: c.files()}
	begun := time.Now()
	// Whoever asked may go away meanwhile; others may wait for the same.
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	reader, err := store.OpenReader(ctx, c.cfg.Database)
	if err == nil {
		err = f(ctx, reader)
		_ = reader.Close()
	}
	now.at, now.cost = time.Now(), time.Since(begun)
	return now, err
}

type daemonState struct {
	reading
	err      error
	daemon   store.Daemon
	progress store.Progress
	health   Health
}

// state returns the state of the daemon, and counts what was finished meanwhile.
func (c *cache) state() *daemonState {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && c.fresh(c.last.reading) {
		return c.last
	}
	s := &daemonState{}
	s.reading, s.err = c.read(func(ctx context.Context, r *store.Reader) (err error) {
		now := time.Now()
		if s.daemon, err = r.Daemon(ctx); err != nil {
			return err
		}
		if s.progress, err = r.Progress(ctx, now); err != nil {
			return err
		}
		s.health = judge(s.daemon, s.progress, c.cfg.Meter.answered(), c.begun, now, c.cfg.PollMax)
		return c.tally.catchUp(ctx, r, now)
	})
	if s.err != nil {
		s.health = Health{Status: unreadable, Reason: s.err.Error()}
	}
	c.last = s
	return s
}

// view returns what a page shows. What people may ask for has no end, so reading it
// is limited for all of them together: what was read before is shown as it was, and
// what was not waits, or fails with ctx's error.
func (c *cache) view(ctx context.Context, q query) (*view, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	health := c.state().health
	for {
		v, wait := c.viewNow(q, health)
		if v != nil {
			return v, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// viewNow returns a view, or nil and how long it has to wait.
func (c *cache) viewNow(q query, health Health) (*view, time.Duration) {
	c.reading.Lock()
	defer c.reading.Unlock()
	before, wait := c.views[q], time.Until(c.paidOff.Add(-burst))
	switch {
	case before != nil && (wait > 0 || c.fresh(before.reading)):
		return before, 0
	case wait > 0:
		return nil, wait
	}
	var v *view
	reading, err := c.read(func(ctx context.Context, r *store.Reader) (err error) {
		v, err = c.render(ctx, r, q, health, time.Now())
		return err
	})
	if err != nil {
		v = q.broken(err, before)
	}
	v.reading = reading
	if c.paidOff.Before(reading.at) {
		c.paidOff = reading.at
	}
	c.paidOff = c.paidOff.Add(allShare * reading.cost)
	c.views[q] = v
	c.forget()
	return v, 0
}

// forget drops the view that was read longest ago where there are too many.
func (c *cache) forget() {
	if len(c.views) <= maxViews {
		return
	}
	oldest := func(a, b query) int { return c.views[a].at.Compare(c.views[b].at) }
	delete(c.views, slices.MinFunc(slices.Collect(maps.Keys(c.views)), oldest))
}
