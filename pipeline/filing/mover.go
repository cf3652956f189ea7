package filing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	// wholeSync says when all of a filesystem may be synced.
	wholeSync restful
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
	// Fresh: nothing was ever tried with this Tag, so that nothing is left of
	// an earlier try and none is looked for.
	Fresh bool
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

// transfer is a Move under way. Its folders are the Batch's to close.
type transfer struct {
	*Batch
	Move
	from, to         dir
	fromName, toName string
	file             file // the source
	leases           bool // a refused lease tells of a writer
	was              unix.Stat_t
}

func (t *transfer) source() string { return filepath.Join(t.from.path, t.fromName) }
func (t *transfer) target() string { return filepath.Join(t.to.path, t.toName) }

// Do moves the file without ever overwriting, making the target's folder where
// it is missing; copied says that the content went to another filesystem. The
// folders are the caller's to sync (SyncFoldersOf), before it relies on the move.
//
// Errors: fs.ErrExist, the target name is taken, choose another; ErrChanged,
// the source is another file now; fs.ErrNotExist, it is gone; ErrBusy, it is
// open for writing; ErrNotFolder, the target's folder is a link; ErrNoRoot, one
// of the two roots is away. Whatever the error, the content is whole, and Do
// may be called again, with the same Target unless that is taken, or after a
// crash Resume. A cancelled context ends a copy and leaves nothing of it.
func (m *Mover) Do(ctx context.Context, mv Move) (copied bool, err error) {
	b := m.Batch()
	defer b.Close()
	return b.Do(ctx, mv)
}

// openSource opens the source and makes sure that it is the file meant.
func (t *transfer) openSource(ctx context.Context) error {
	err := t.step("open source", t.findSource)
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
	if t.leases && refusesLease(t.file.fd) {
		return fmt.Errorf("move %q: %w", t.source(), ErrBusy)
	}
	return nil
}

// findSource opens the source by its whole way from the root. The folder that it
// is moved out of may be one that was opened before; if it is another by now, the
// name in it is gone, or is that of another file and put back.
func (t *transfer) findSource() (err error) {
	t.file.close()
	t.file = noFile
	rel := filepath.Clean(t.Source)
	parent, name := filepath.Split(rel)
	parent = strings.TrimSuffix(parent, "/")
	root, folder, err := t.sourceFolders(parent)
	if err != nil {
		return err
	}
	t.from, t.fromName = folder.dir, name
	if parent == "" {
		t.file, t.was, err = t.from.openIn(name)
	} else {
		err = t.openDeep(root.dir, rel)
	}
	if err == nil {
		t.leases = folder.leases.or(func() bool { return tellsWriters(folder.fd) })
	}
	return err
}

// openDeep opens a source that does not lie in the root itself.
func (t *transfer) openDeep(root dir, rel string) error {
	look, err := root.beneath(rel, 0)
	if errors.Is(err, unix.ENAMETOOLONG) {
		look, err = t.from.beneath(t.fromName, 0)
	}
	if err != nil {
		return fmt.Errorf("open %q: %w", t.source(), componentError(err))
	}
	defer unix.Close(look)
	st, err := file{look}.stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", t.source(), err)
	}
	t.file, t.was, err = t.from.openSeen(t.fromName, isRegular(&st), identityOf(&st))
	return err
}

func (t *transfer) sourceFolders(parent string) (root, folder *held, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if root, err = t.root(t.Root); err == nil {
		folder, err = t.sourceFolder(root, t.Root, parent)
	}
	return root, folder, err
}

// isMeant reports whether the open file, whose identity is id, is the one that
// the move is about. Reading it is the last word: device numbers change at a
// reboot, inode numbers are used again.
func (mv *Move) isMeant(ctx context.Context, f file, id Identity) (bool, error) {
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
func (t *transfer) openTarget() error {
	parent, name := filepath.Split(filepath.Clean(t.Target))
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.targetFolder(t.Sorted, parent)
	if err != nil {
		return err
	}
	t.to, t.toName = h.dir, name
	return nil
}

// leftOver reports whether an earlier try was cut short: Resume knows what the
// pieces are.
func (t *transfer) leftOver() bool {
	_, a := t.from.stat(t.sourceClaim())
	_, b := t.to.stat(t.targetClaim())
	_, c := t.to.stat(t.copyName())
	return a == nil || b == nil || c == nil
}
