package filing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Options of a Mover; the zero value is good.
type Options struct {
	// Logger reports what is unusual; nil discards it.
	Logger *slog.Logger
	// Fault, where not nil, is called before (done false) and after a successful
	// (done true) operation on the disk, with its name. The error that it returns
	// becomes that of the operation, so that a test can make each one fail, or be
	// the last one, in turn. Never set outside tests.
	Fault func(op string, done bool) error
}

// Mover moves files. It may be used by many goroutines at once, but each file and
// each tag only by one at a time.
type Mover struct {
	log     *slog.Logger
	fault   func(op string, done bool) error
	refused sync.Once // says that a filesystem does not let attributes be set

	durable   sync.Map     // device and inode of folders whose own names are on disk, by path
	syncAfter atomic.Int64 // no syncfs before this time, in nanoseconds since 1970
}

// NewMover returns a Mover. It holds nothing open and needs no closing.
func NewMover(o Options) *Mover {
	m := &Mover{log: o.Logger, fault: o.Fault}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	return m
}

// step runs one operation on the disk.
func (m *Mover) step(op string, f func() error) error {
	if m.fault != nil {
		if err := m.fault(op, false); err != nil {
			return err
		}
	}
	err := retryEINTR(f)
	if err == nil && m.fault != nil {
		err = m.fault(op, true)
	}
	return err
}

// Move is one file's way from the inbox to its place.
type Move struct {
	// Root is the inbox (absolute), Source the path of the file beneath it.
	Root, Source string
	// Identity is what the source must still be. One that differs is accepted
	// where SHA256 shows the content to be the same; where SHA256 is nil, only a
	// different ChangeTime is.
	Identity Identity
	// SHA256 of the content, or nil where it is not known.
	SHA256 []byte
	// Sorted is the folder for the result (absolute), Target the path beneath it:
	// "invoice/scan.pdf".
	Sorted, Target string
	// Tag is one word, the same for each try of this move and different from that
	// of every other: it names the temporaries, see IsTemporary.
	Tag string

	synced bool // see SyncContents
}

const temporaryPrefix = ".docusort-"

// Temporaries is the pattern, for path.Match, of the names that [IsTemporary]
// reports.
const Temporaries = temporaryPrefix + "*"

// IsTemporary reports whether a base name is one that a Mover uses while at work.
// Listings leave such names out. They are short-lived unless the process is killed;
// Resume, or the next WriteFile of the same name, removes what is left.
func IsTemporary(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }

// The three temporaries of a move. They have different names because different
// rules remove them: a copy is ours whatever it holds, a claimed file is examined
// first.
func (mv *Move) copyName() string    { return temporaryPrefix + mv.Tag + ".tmp" }  // in the target folder
func (mv *Move) sourceClaim() string { return temporaryPrefix + mv.Tag + ".old" }  // in the source folder
func (mv *Move) targetClaim() string { return temporaryPrefix + mv.Tag + ".undo" } // in the target folder

func (mv *Move) check() error {
	if mv.Tag == "" || len(mv.Tag) > 200 || strings.ContainsAny(mv.Tag, "/\x00") {
		return fmt.Errorf("move: tag %q: %w", mv.Tag, fs.ErrInvalid)
	}
	for _, rel := range []string{mv.Source, mv.Target} {
		if _, err := localPath(rel); err != nil {
			return fmt.Errorf("move: %w", err)
		}
	}
	return nil
}

// Do moves the file inside its filesystem without ever overwriting, making the
// target's folder where it is missing. Syncing the folders (SyncFoldersOf) is left
// to the caller.
//
// Errors: ErrNeedsCopy, nothing was done, call Copy; fs.ErrExist, choose another
// target, it is taken; ErrName, choose a safe one; ErrChanged, the source is another
// file now; fs.ErrNotExist, it is gone; ErrBusy; ErrNotFolder; ErrNoRoot. Whatever the
// error, the content is whole, and the call may be repeated; after a crash, Resume first.
func (m *Mover) Do(ctx context.Context, mv Move) error {
	return m.move(ctx, mv, func(t *transfer) error { return t.rename(ctx) })
}

// Copy moves the file by copying its content, with the guarantees and errors of Do
// but ErrNeedsCopy. It may take long; a cancelled context ends it and leaves
// nothing of the copy.
func (m *Mover) Copy(ctx context.Context, mv Move) error {
	return m.move(ctx, mv, func(t *transfer) error { return t.copy(ctx) })
}

var (
	// errLeftOver: an earlier try of the same move was cut short.
	errLeftOver = errors.New("an earlier try of this move has to be finished first")
	// errRaced: another process changed a folder during the move.
	errRaced = errors.New("a folder was changed by another program during the move")
)

// move makes an attempt, and a second one where the first met something unclear:
// an earlier try may have moved the file, or part of it.
func (m *Mover) move(ctx context.Context, mv Move, way func(*transfer) error) error {
	if err := mv.check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("move %q: %w", mv.Source, err)
	}
	err := m.attempt(ctx, mv, way)
	unclear := errors.Is(err, ErrChanged) || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) ||
		errors.Is(err, errRaced) || errors.Is(err, errLeftOver)
	if !unclear {
		return err
	}
	outcome, resumeErr := m.resume(ctx, mv, errors.Is(err, errLeftOver), 2)
	switch {
	case resumeErr != nil:
		return resumeErr
	case outcome == Done:
		return nil
	case errors.Is(err, ErrChanged):
		return err
	case outcome == Lost:
		return fmt.Errorf("move %q: %w", mv.Source, fs.ErrNotExist)
	case outcome == Taken:
		return fmt.Errorf("move %q to %q: %w", mv.Source, mv.Target, fs.ErrExist)
	}
	return m.attempt(ctx, mv, way)
}

func (m *Mover) attempt(ctx context.Context, mv Move, way func(*transfer) error) error {
	t := &transfer{Mover: m, Move: mv, from: noDir, to: noDir}
	defer t.close()
	if err := t.openSource(ctx); err != nil {
		return err
	}
	if err := t.openTarget(); err != nil {
		return err
	}
	err := way(t)
	if err != nil && t.refusesName() {
		return fmt.Errorf("move %q to %q: %w", t.source(), t.target(), ErrName)
	}
	if err != nil && t.elsewhere() {
		return ownError{err}
	}
	return err
}

// transfer is a Move under way.
type transfer struct {
	*Mover
	Move
	from, to         dir
	fromName, toName string
	file             *os.File // the source
	was              unix.Stat_t
}

func (t *transfer) close() {
	if t.file != nil {
		t.file.Close()
	}
	t.from.close()
	t.to.close()
}

func (t *transfer) source() string { return filepath.Join(t.from.path, t.fromName) }
func (t *transfer) target() string { return filepath.Join(t.to.path, t.toName) }

// openSource opens the source and makes sure that it is the file meant.
func (t *transfer) openSource(ctx context.Context) error {
	err := t.step("open source", func() (err error) {
		t.from.close()
		if t.from, t.fromName, err = openParent(t.Root, t.Source); err == nil {
			t.file, t.was, err = t.from.open(t.fromName)
		}
		return err
	})
	if errors.Is(err, ErrNotRegular) {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if err != nil {
		return err
	}
	same, err := t.isMeant(ctx, t.file, identityOf(&t.was))
	switch {
	case err != nil:
		return err
	case !same:
		return fmt.Errorf("move %q: %w", t.source(), ErrChanged)
	case hasWriter(t.file):
		return fmt.Errorf("move %q: %w", t.source(), ErrBusy)
	}
	return nil
}

// isMeant reports whether the open file, whose identity is id, is the one to be
// moved. The hash has the last word: device numbers change at a reboot, and inode
// numbers are used again.
func (mv *Move) isMeant(ctx context.Context, f *os.File, id Identity) (bool, error) {
	switch {
	case id == mv.Identity:
		return true, nil
	case mv.SHA256 == nil:
		return id.SameContent(mv.Identity), nil
	case id.Size != mv.Identity.Size:
		return false, nil
	}
	return hasHash(ctx, f, id.Size, mv.SHA256)
}

// elsewhere reports whether the target's folder is on another filesystem than Sorted.
func (t *transfer) elsewhere() bool {
	var sorted unix.Stat_t
	to, err := fstat(t.to.fd)
	return err == nil && unix.Stat(t.Sorted, &sorted) == nil && to.Dev != sorted.Dev
}

// openTarget opens the target's folder, making it where it is missing, unless an
// earlier try was cut short.
func (t *transfer) openTarget() (err error) {
	parent, name := filepath.Split(filepath.Clean(t.Target))
	if t.to, err = t.makeFolders(t.Sorted, parent); err != nil {
		return err
	}
	t.toName = name
	_, claimedSource := t.from.stat(t.sourceClaim())
	_, claimedTarget := t.to.stat(t.targetClaim())
	_, halfCopy := t.to.stat(t.copyName())
	if claimedSource == nil || claimedTarget == nil || halfCopy == nil {
		return errLeftOver
	}
	return nil
}
