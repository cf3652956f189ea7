package watcher

import (
	"context"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what to watch and where to send files. Root, Files, Inspect and
// Rescan are required. The values are not checked here.
type Config struct {
	// Root is the inbox, absolute and clean. It may be a symbolic link to a folder
	// and need not exist yet.
	Root string

	// Files receives settled files: paths relative to Root, in raw bytes,
	// separated by '/'. A send may block for any length of time. The watcher
	// never closes the channel.
	Files chan<- string

	// Known reports whether the file at path (relative to Root) has been taken
	// already in exactly the state that info, from Lstat, shows. Each scan calls
	// it for each file, so it should be quick. After an error the file is left
	// for the next scan. Nil means that no file is known.
	Known func(path string, info fs.FileInfo) (bool, error)

	// Inspect looks into a file (path relative to Root) that has stood still.
	// After an error the file is sent all the same, so that the receiver can
	// report why it cannot be read; fs.ErrNotExist means that it is gone.
	Inspect func(path string) (Condition, error)

	// Mode says whether inotify is used.
	Mode Mode

	// Rescan is the time from the end of one full scan to the next. Without
	// events, it is how long a new file may go unnoticed.
	Rescan time.Duration

	// Settle is how long a file must stand still.
	Settle time.Duration

	// IncompleteAfter is how long a file that looks cut short must stand still
	// before it is sent anyway.
	IncompleteAfter time.Duration

	// Recursive includes the folders in Root, at any depth.
	Recursive bool

	// Ignore holds patterns, in the form of path.Match, of names of files and
	// folders to leave alone. Upper and lower case are alike.
	Ignore []string

	// Apart holds folders, as absolute paths, that are never entered, by whatever path
	// they are seen in the inbox, as by a mount.
	Apart []string

	// Logger receives what a person should know. Nil discards it.
	Logger *slog.Logger
}

// Mode says how files are noticed. Full scans happen in every mode.
type Mode int

const (
	// Auto uses inotify, and logs where other machines can change the
	// filesystem without an event: their files are found at the rescan.
	Auto Mode = iota

	// Inotify is Auto, with a warning on such filesystems.
	Inotify

	// Poll only scans.
	Poll
)

// Condition is what Inspect finds.
type Condition int

const (
	// Complete: the file can be taken now.
	Complete Condition = iota

	// Incomplete: empty or cut short. It is waited for, up to
	// Config.IncompleteAfter.
	Incomplete

	// Writing: somebody has the file open for writing. It is waited for.
	Writing
)

// Watcher watches one inbox. Its methods may be called from any goroutine, but
// only one Run or RunOnce at a time.
type Watcher struct {
	cfg        Config
	kick       chan struct{} // holds one token: a rescan was asked for
	ready      chan struct{}
	readyOnce  sync.Once
	heartbeat  heartbeat
	left       atomic.Pointer[[]Left]
	changed    chan struct{}            // holds one token: see Changed
	open       func() (notifier, error) // inotify, or a fake in tests
	filesystem func(path string) string // sharedFilesystem, or a fake in tests
	limits     limits
}

// New returns a watcher. It touches no file.
func New(cfg Config) *Watcher {
	cfg.Ignore = slices.Clone(cfg.Ignore)
	for i, pattern := range cfg.Ignore {
		cfg.Ignore[i] = strings.ToLower(pattern)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Known == nil {
		cfg.Known = func(string, fs.FileInfo) (bool, error) { return false, nil }
	}
	return &Watcher{
		cfg:        cfg,
		kick:       make(chan struct{}, 1),
		ready:      make(chan struct{}),
		changed:    make(chan struct{}, 1),
		open:       openInotify,
		filesystem: sharedFilesystem,
		limits:     defaultLimits,
	}
}

// Run watches until ctx is done and then returns nil. It waits out a missing
// inbox, an unreadable folder and a lack of watches.
func (w *Watcher) Run(ctx context.Context) error {
	_, err := newLoop(w, false).run(ctx)
	return err
}

// RunOnce sends what is in the inbox now and returns when nothing is left that
// could still settle. It scans once, without inotify. Left are the files that were
// not sent: still being written, cut short, empty, changing for more than two
// settle times, or of which Known returned an error. When ctx is done earlier,
// left also holds the files found that were not sent yet, and the error is nil. An
// inbox that cannot be read is an error; an unreadable folder in it is logged, and
// its files are not in left.
func (w *Watcher) RunOnce(ctx context.Context) (left []string, err error) {
	return newLoop(w, true).run(ctx)
}

// Rescan asks for a full scan as soon as possible. It never blocks. Requests that
// come before the scan begins count as one, also while nothing runs.
func (w *Watcher) Rescan() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// Late returns "watcher" when Run or RunOnce has been busy with one round for
// longer than limit, and "" when it goes round, waits, or does not run.
func (w *Watcher) Late(limit time.Duration) string {
	if w.heartbeat.late(limit) {
		return "watcher"
	}
	return ""
}

// Ready returns a channel that is closed when the inbox is watched and has
// been scanned once, or as far as the limit on candidates allows while nobody
// receives files.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

func (w *Watcher) markReady() { w.readyOnce.Do(func() { close(w.ready) }) }
