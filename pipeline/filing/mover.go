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

	"golang.org/x/sys/unix"
)

// Options of a Mover; the zero value is good.
type Options struct {
	// Logger tells of what is out of the ordinary; nil discards it.
	Logger *slog.Logger
	// Fault, where not nil, is called before (done false) and after a
	// successful (done true) operation on the disk, with its name. The error
	// that it returns becomes that of the operation, so that a test can make
	// each one fail, or end, once. Never set outside tests.
	Fault func(op string, done bool) error
}

// Mover moves files. It may be used by many goroutines at once, but one file,
// and one tag, only by one at a time.
type Mover struct {
	log   *slog.Logger
	fault func(op string, done bool) error
	// writing keeps two WriteFiles of one name from sharing a temporary.
	writing sync.Mutex
	// kept are the folders, by device and inode, whose own names are known
	// to be on disk; keeping guards it.
	keeping sync.Mutex
	kept    map[[2]uint64]bool
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
	err := again(f)
	if err == nil && m.fault != nil {
		err = m.fault(op, true)
	}
	return err
}

// Move is one file's way from the inbox to its place.
type Move struct {
	// Root is the inbox (absolute), Source the path of the file beneath it.
	Root, Source string
	// Identity is what the source must still be. One that differs is
	// accepted where SHA256 shows the content to be the same; where SHA256
	// is nil, a different ChangeTime is.
	Identity Identity
	// SHA256 of the content, or nil where it is not known.
	SHA256 []byte
	// Sorted is the folder for the result (absolute), Target the path
	// beneath it: "invoice/scan.pdf".
	Sorted, Target string
	// Tag is one word, the same for each try of this move and different for
	// every other: it names the temporaries, see IsTemporary.
	Tag string
	// Synced: SyncFile was called for this content, Do need not.
	Synced bool
}

const temporaryPrefix = ".docusort-"

// Temporaries is the pattern, for path.Match, of the names that [IsTemporary]
// knows.
const Temporaries = temporaryPrefix + "*"

// IsTemporary reports whether a base name is one that Mover uses while at
// work: to be left alone in any listing, for ever short-lived unless the
// process is killed, and cleared away by Resume, by the next WriteFile of
// the name it was made for, or by the next Try.
func IsTemporary(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }

// The three temporaries of a move. They differ because they are cleared away
// by different rules: a copy is ours whatever it holds, what was claimed has
// to be looked at first.
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

// transfer is a Move under way.
type transfer struct {
	*Mover
	Move
	from, to         dir
	fromName, toName string
	file             *os.File // the source, nil once known to be gone
	was              unix.Stat_t
}

func (t *transfer) close() {
	t.from.close()
	t.to.close()
	if t.file != nil {
		_ = t.file.Close()
	}
}

func (t *transfer) source() string { return filepath.Join(t.from.path, t.fromName) }
func (t *transfer) target() string { return filepath.Join(t.to.path, t.toName) }

// Do moves the file without ever overwriting, making the target's folder where
// it is missing; copied says that the content went to another filesystem. The
// folders are the caller's to sync (SyncFolderOf), before it relies on the move.
//
// Errors: fs.ErrExist, the target name is taken, choose another; ErrChanged,
// the source is another file now; fs.ErrNotExist, it is gone; ErrBusy, it is
// open for writing; ErrNotFolder, the target's folder is a link; ErrNoRoot, one
// of the two roots is away. Whatever the error, the content is whole, and Do
// may be called again, with the same Target unless that is taken, or after a
// crash Resume. A cancelled context ends a copy and leaves nothing of it.
func (m *Mover) Do(ctx context.Context, mv Move) (copied bool, err error) {
	if err := mv.check(); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("move %q: %w", mv.Source, err)
	}
	for try := 0; ; try++ {
		copied, err = m.attempt(ctx, mv)
		changed := errors.Is(err, ErrChanged)
		unclear := changed || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLeftOver)
		if !unclear || try == 1 {
			return copied && err == nil, err
		}
		// An earlier try may have got there: gone from here, or taken over
		// there, by this very file.
		outcome, across, rerr := m.resume(ctx, mv)
		switch {
		case rerr != nil:
			return false, rerr
		case outcome == Done:
			return across, nil
		case changed:
			return false, err
		case outcome == Lost:
			return false, fmt.Errorf("move %q: %w", mv.Source, fs.ErrNotExist)
		case outcome == Taken:
			return false, fmt.Errorf("move %q to %q: %w", mv.Source, mv.Target, fs.ErrExist)
		}
	}
}

func (m *Mover) attempt(ctx context.Context, mv Move) (copied bool, err error) {
	t := &transfer{Mover: m, Move: mv, from: noDir, to: noDir}
	defer t.close()
	if err := t.openSource(ctx); err != nil {
		return false, err
	}
	if !mv.Synced {
		if err := m.step("fsync source", func() error { return t.file.Sync() }); err != nil {
			return false, fmt.Errorf("sync %q: %w", t.source(), err)
		}
	}
	if err := t.openTarget(); err != nil {
		return false, err
	}
	if t.leftOver() {
		return false, errLeftOver
	}
	return t.move(ctx)
}

// openSource opens the source and makes sure that it is the file meant.
func (t *transfer) openSource(ctx context.Context) (err error) {
	if t.from, t.fromName, err = openParent(t.Root, t.Source); err == nil {
		err = t.step("open source", func() (err error) {
			t.file, t.was, err = t.from.openIn(t.fromName)
			return err
		})
	}
	if errors.Is(err, ErrNotRegular) {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if err != nil {
		return err
	}
	same, err := t.isMeant(ctx, t.file, identityOf(&t.was))
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("move %q: %w", t.source(), ErrChanged)
	}
	if beingWritten(t.file) {
		return fmt.Errorf("move %q: %w", t.source(), ErrBusy)
	}
	return nil
}

// isMeant reports whether the open file, whose identity is id, is the one that
// the move is about. Reading it is the last word: device numbers change at a
// reboot, inode numbers are used again.
func (mv *Move) isMeant(ctx context.Context, f *os.File, id Identity) (bool, error) {
	if id.Same(mv.Identity) {
		return true, nil
	}
	if mv.SHA256 == nil {
		return id.SameContent(mv.Identity), nil
	}
	if id.Size != mv.Identity.Size {
		return false, nil
	}
	return hasHash(ctx, f, id.Size, mv.SHA256)
}

// openTarget opens the target's folder, making it where needed.
func (t *transfer) openTarget() (err error) {
	parent, name := filepath.Split(filepath.Clean(t.Target))
	t.to.close()
	t.toName = name
	t.to, err = t.folder(t.Sorted, parent)
	return err
}

// leftOver reports whether an earlier try was cut short: Resume knows what the
// pieces are.
func (t *transfer) leftOver() bool {
	_, a := t.from.stat(t.sourceClaim())
	_, b := t.to.stat(t.targetClaim())
	_, c := t.to.stat(t.copyName())
	return a == nil || b == nil || c == nil
}
