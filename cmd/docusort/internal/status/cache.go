package status

import (
	"context"
	"os"
	"sync"
	"time"

	"docusort/store"
)

const (
	// readEvery is the shortest time between two readings of the database.
	readEvery = time.Second
	// readShare limits the time spent on reading: to one part in so many.
	readShare = 10
	// readTimeout limits one reading.
	readTimeout = 30 * time.Second
	// staleAfter is when to read again although nothing was written: ages grow, and
	// holds end.
	staleAfter = 15 * time.Second
)

// cache reads the database for all who ask, and remembers what it read.
type cache struct {
	cfg   Config
	begun time.Time

	mu    sync.Mutex
	views map[string]*view // by window
	last  *daemonState
	tally *tally
}

func newCache(cfg Config) *cache {
	return &cache{cfg: cfg, begun: time.Now(), views: make(map[string]*view), tally: newTally(time.Now())}
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

func (c *cache) view(w window) *view {
	health := c.state().health
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.views[w.Name]
	if before != nil && c.fresh(before.reading) {
		return before
	}
	v := &view{}
	var err error
	v.reading, err = c.read(func(ctx context.Context, r *store.Reader) error {
		data, err := readPage(ctx, r, w, time.Now())
		if err == nil {
			data.Judged, data.Source = health, c.cfg.Source
			v.sections = data.render()
		}
		return err
	})
	if err != nil {
		v.sections = broken(err, before)
	}
	c.views[w.Name] = v
	return v
}
