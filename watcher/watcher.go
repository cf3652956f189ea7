package watcher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Config says what to watch and whom to tell. Root, Files, Inspect and Rescan
// are required.
type Config struct {
	// Root is the inbox. It may be a symbolic link to a folder and need not
	// exist yet.
	Root string

	// Files receives settled files: paths relative to Root, in raw bytes,
	// separated by '/'. Sends block for as long as the reader likes. The
	// watcher never closes it.
	Files chan<- string

	// Known reports whether the file at path (relative to Root) has been taken
	// already in exactly the shape that info, from Lstat, shows. It is asked
	// before a file is waited for and again before it is sent, at each scan
	// for each file there is, so it should be quick. After an error the file
	// is left until the next scan. Nil means that nothing is known.
	Known func(path string, info fs.FileInfo) (bool, error)

	// Inspect looks into a file (path relative to Root) that stood still. An
	// error means that it cannot be looked into: the file is sent all the
	// same, so that whoever receives it can say why; fs.ErrNotExist means that
	// it is gone.
	Inspect func(path string) (Condition, error)

	// Mode says whether inotify is used. See the modes.
	Mode Mode

	// Rescan is the time from the end of one full scan to the next. Where no
	// events come, it is how long a new file may go unnoticed.
	Rescan time.Duration

	// Settle is how long a file must stand still.
	Settle time.Duration

	// IncompleteAfter is how long a file that looks cut short must stand still
	// before it is sent anyway.
	IncompleteAfter time.Duration

	// Recursive includes the folders in Root, at any depth.
	Recursive bool

	// Ignore holds patterns, in the form of path.Match, of names of files and
	// folders to leave alone.
	Ignore []string

	// Logger receives what a person should know. Nil discards it.
	Logger *slog.Logger
}

// Mode says how files are noticed. Full scans happen in every mode.
type Mode int

const (
	// Auto uses inotify, and says so where the filesystem is one that others
	// can change without an event: files that they put there are found at the
	// rescan.
	Auto Mode = iota

	// Inotify is Auto, with a warning on such filesystems.
	Inotify

	// Poll only scans.
	Poll
)

// Condition is what Inspect finds.
type Condition int

const (
	// Complete: nothing speaks against taking the file now.
	Complete Condition = iota

	// Incomplete: empty or cut short. It is waited for, but not for ever.
	Incomplete

	// Writing: somebody has the file open for writing. It is waited for.
	Writing
)

// Watcher watches one inbox. Its methods may be called from any goroutine, but
// only one Run or RunOnce at a time.
type Watcher struct {
	cfg        Config
	log        *slog.Logger
	kick       chan struct{} // holds one token: a rescan was asked for
	pulse      chan struct{} // received from by the loop, whenever it waits
	ready      chan struct{}
	readyOnce  sync.Once
	open       func() (notifier, error) // inotify, or a fake in tests
	filesystem func(path string) string // sharedFilesystem, or a fake in tests
	limits     limits
}

// New checks the settings. It touches no file, except to learn the working
// directory when Root is relative.
func New(cfg Config) (*Watcher, error) {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("watcher: "+format, args...))
		}
	}
	refuse(cfg.Root == "", "no inbox is named")
	refuse(cfg.Files == nil, "no channel for files")
	refuse(cfg.Inspect == nil, "nothing to look into files with")
	refuse(cfg.Mode < Auto || cfg.Mode > Poll, "unknown mode %d", cfg.Mode)
	refuse(cfg.Rescan <= 0, "rescan interval %v: must be above zero", cfg.Rescan)
	refuse(cfg.Settle < 0, "settle time %v: must not be negative", cfg.Settle)
	refuse(cfg.IncompleteAfter < 0, "time for incomplete files %v: must not be negative", cfg.IncompleteAfter)
	for _, p := range cfg.Ignore {
		_, err := path.Match(p, "")
		refuse(err != nil, "ignore pattern %q: %w", p, err)
		refuse(strings.Contains(p, "/"), "ignore pattern %q: names have no slash", p)
	}
	root, err := filepath.Abs(cfg.Root)
	refuse(err != nil, "inbox %q: %w", cfg.Root, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Root = root
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Known == nil {
		cfg.Known = func(string, fs.FileInfo) (bool, error) { return false, nil }
	}
	return &Watcher{
		cfg:        cfg,
		log:        cfg.Logger,
		kick:       make(chan struct{}, 1),
		pulse:      make(chan struct{}),
		ready:      make(chan struct{}),
		open:       openInotify,
		filesystem: sharedFilesystem,
		limits:     defaultLimits,
	}, nil
}

// Run watches until ctx is done and then returns nil, when everything that it
// started has ended. It goes on from a missing inbox, an unreadable folder and
// a lack of watches, so at present no error ends it.
func (w *Watcher) Run(ctx context.Context) error {
	_, err := newLoop(w, false).run(ctx)
	return err
}

// RunOnce sends what is in the inbox now and returns when nothing is left that
// could still settle. It scans once, without inotify. Left are the files that
// had their time and were not sent: still being written, cut short, empty,
// changing, or of which Known could not say whether they are known; a file is
// given up when it has not settled two settle times after it was first seen.
// When ctx is done before the end, left also holds the files found that were
// not sent yet, and the error is nil. An inbox that cannot be read is an
// error; a folder in it that cannot is logged and not among those left.
func (w *Watcher) RunOnce(ctx context.Context) (left []string, err error) {
	return newLoop(w, true).run(ctx)
}

// Rescan asks for a full scan as soon as possible. It never blocks; requests
// that come before the scan begins are one. Without a Run it is kept for the
// next one.
func (w *Watcher) Rescan() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// Alive returns nil once the goroutine of Run or RunOnce has shown that it still
// goes round, and an error when ctx ends before.
func (w *Watcher) Alive(ctx context.Context) error {
	select {
	case w.pulse <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Ready returns a channel that is closed when the inbox is watched and has
// been scanned once, or as far as the limit on files waited for allows while
// nobody takes any.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Matches reports whether name, of a file or folder without its path, matches
// one of the patterns, in the form of path.Match; a malformed one matches
// nothing.
func Matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if endsDiffer(p, name) {
			continue
		}
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}

// endsDiffer says that a name begins or ends with another byte than its pattern
// asks for, as most do: that is seen at a tenth of what a match costs.
func endsDiffer(pattern, name string) bool {
	if pattern == "" || name == "" {
		return false
	}
	first, last := pattern[0], pattern[len(pattern)-1]
	return strings.IndexByte(`*?[\`, first) < 0 && first != name[0] ||
		strings.IndexByte(`*?]`, last) < 0 && last != name[len(name)-1]
}
