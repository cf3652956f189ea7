package status

import (
	"context"
	"os"
	"sync"
	"time"

	"docusort/store"
)

const (
	// readEvery is how often the record is read at the most.
	readEvery = time.Second
	// readShare is the part of the time that reading may take: one in so many.
	readShare = 10
	// readTimeout bounds one reading.
	readTimeout = 30 * time.Second
	// staleAfter is when it is read again although nothing was written: ages
	// grow, and holds end.
	staleAfter = 15 * time.Second
)

// record reads the database for all who ask, and remembers what it read.
type record struct {
	cfg   Config
	begun time.Time

	mu     sync.Mutex
	views  map[string]*view // by window
	beat   *pulse
	tallys *tally
}

func newRecord(cfg Config) *record {
	return &record{cfg: cfg, begun: time.Now(), views: make(map[string]*view), tallys: newTally(time.Now())}
}

// reading is when something was read, how long that took, and how the database
// was then.
type reading struct {
	at    time.Time
	cost  time.Duration
	files [2]fileState
}

// fileState changes whenever a file is written to.
type fileState struct {
	size int64
	at   time.Time
}

func (r *record) files() (s [2]fileState) {
	for i, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(r.cfg.Database + suffix); err == nil {
			s[i] = fileState{info.Size(), info.ModTime()}
		}
	}
	return s
}

// fresh says whether there is no need to read again.
func (r *record) fresh(last reading) bool {
	age := time.Since(last.at)
	return age < max(readEvery, readShare*last.cost) || age < staleAfter && last.files == r.files()
}

// read opens the record, hands it to f, and says what that cost.
func (r *record) read(f func(context.Context, *store.Reader) error) (reading, error) {
	now := reading{files: r.files()}
	begun := time.Now()
	// Whoever asked may go away meanwhile; others may wait for the same.
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	reader, err := store.OpenReader(ctx, r.cfg.Database)
	if err == nil {
		err = f(ctx, reader)
		_ = reader.Close()
	}
	now.at, now.cost = time.Now(), time.Since(begun)
	return now, err
}

// pulse is what is asked most often, by machines.
type pulse struct {
	reading
	err      error
	daemon   store.Daemon
	progress store.Progress
	health   Health
}

// pulse returns how the daemon does.
func (r *record) pulse() *pulse {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.beat != nil && r.fresh(r.beat.reading) {
		return r.beat
	}
	p := &pulse{}
	p.reading, p.err = r.read(func(ctx context.Context, reader *store.Reader) (err error) {
		now := time.Now()
		if p.daemon, err = reader.Daemon(ctx); err != nil {
			return err
		}
		if p.progress, err = reader.Progress(ctx, now); err != nil {
			return err
		}
		p.health = judge(p.daemon, p.progress, r.cfg.Meter.answered(), r.begun, now, r.cfg.PollMax)
		return r.tallys.catchUp(ctx, reader, now)
	})
	if p.err != nil {
		p.health = Health{Status: unreadable, Reason: p.err.Error()}
	}
	r.beat = p
	return p
}

// view returns what the page shows of a window.
func (r *record) view(w window) *view {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.views[w.Name]; v != nil && r.fresh(v.reading) {
		return v
	}
	v := &view{window: w}
	var data pageData
	var err error
	v.reading, err = r.read(func(ctx context.Context, reader *store.Reader) (err error) {
		data, err = look(ctx, reader, w, time.Now())
		if err != nil {
			return err
		}
		progress, err := reader.Progress(ctx, data.Now)
		data.Judged = judge(data.Daemon, progress, r.cfg.Meter.answered(), r.begun, data.Now, r.cfg.PollMax)
		return err
	})
	if err != nil {
		// What was shown before stays, with what is wrong above it.
		v.sections = broken(err, r.views[w.Name])
	} else {
		v.sections = data.render()
	}
	r.views[w.Name] = v
	return v
}
