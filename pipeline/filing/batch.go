package filing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Batch moves documents that share folders: each folder is opened once, and its
// place is looked at again before each document. It may be used by many
// goroutines at once, as a Mover may. It keeps folders open, so that their
// filesystems cannot be unmounted: make one for what is moved together, and
// close it soon.
type Batch struct {
	*Mover
	mu      sync.Mutex
	folders map[place]*held
	opened  []dir           // all that Close closes; others may be at work in a stale one
	lasting map[uint64]bool // devices whose content was synced, see SyncContents
}

// place is where a folder is looked for: a root, and the way from there.
type place struct {
	root, rel string
	source    bool // on the way to a source: nothing is made
}

// held is a folder that is open.
type held struct {
	dir
	device, inode uint64
	leases        lazily // whether leases tell of writers here
}

// Batch returns a Batch; the caller closes it.
func (m *Mover) Batch() *Batch {
	return &Batch{Mover: m, folders: make(map[place]*held)}
}

// Close closes the folders.
func (b *Batch) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.opened {
		d.close()
	}
	b.opened, b.folders = nil, nil
}

// keep takes a folder over, which Close will close, and remembers it.
func (b *Batch) keep(at place, d dir) (*held, error) {
	b.opened = append(b.opened, d)
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		return nil, fmt.Errorf("stat %q: %w", d.path, err)
	}
	h := &held{dir: d, device: uint64(st.Dev), inode: st.Ino}
	b.folders[at] = h
	return h, nil
}

func (h *held) is(st *unix.Stat_t) bool {
	return uint64(st.Dev) == h.device && st.Ino == h.inode && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// forget makes the next look at sources open their folders anew.
func (b *Batch) forget(root string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at := range b.folders {
		if at.source && at.root == root {
			delete(b.folders, at)
		}
	}
}

// root returns the folder that stands at root now.
func (b *Batch) root(root string) (*held, error) {
	at := place{root: root}
	if h := b.folders[at]; h != nil {
		var st unix.Stat_t
		if again(func() error { return unix.Stat(root, &st) }) == nil && h.is(&st) {
			return h, nil
		}
		delete(b.folders, at)
	}
	d, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	return b.keep(at, d)
}

// sourceFolder returns the folder rel beneath a root that was just looked at.
// Whether it still stands there is for the caller to find out, by a file in it.
func (b *Batch) sourceFolder(root *held, name, rel string) (*held, error) {
	if rel == "" {
		return root, nil
	}
	at := place{name, rel, true}
	if h := b.folders[at]; h != nil {
		return h, nil
	}
	d, err := root.folderBeneath(rel)
	if err != nil {
		return nil, err
	}
	return b.keep(at, d)
}

// deepest is how many folders beneath a root are held open, one in another, on
// the way to a target. What lies deeper is opened for each document.
const deepest = 4

// targetFolder is Mover.folder that keeps what it opened.
func (b *Batch) targetFolder(sorted, rel string) (*held, error) {
	h, err := b.root(sorted)
	if rel = strings.Trim(rel, "/"); err != nil || rel == "" {
		return h, err
	}
	if rel, err = localPath(rel); err != nil {
		return nil, err
	}
	if strings.Count(rel, "/") >= deepest {
		d, err := b.folder(sorted, rel)
		if err != nil {
			return nil, err
		}
		return b.keep(place{sorted, rel, false}, d)
	}
	for start := 0; start < len(rel); {
		end := len(rel)
		if n := strings.IndexByte(rel[start:], '/'); n >= 0 {
			end = start + n
		}
		if h, err = b.inside(h, place{sorted, rel[:end], false}, rel[start:end]); err != nil {
			return nil, err
		}
		start = end + 1
	}
	return h, nil
}

// inside returns a folder in another one, held or opened now.
func (b *Batch) inside(above *held, at place, name string) (*held, error) {
	if h := b.folders[at]; h != nil {
		if st, err := above.stat(name); err == nil && h.is(&st) {
			return h, nil
		}
	}
	d, err := b.enter(above.dir, name)
	if err != nil {
		return nil, err
	}
	return b.keep(at, d)
}

// MakeFolder is that of the Mover. A folder that this Batch has met is not looked
// at again: Do makes it once more where it has gone.
func (b *Batch) MakeFolder(sorted, rel string) error {
	_, err := b.met(sorted, rel)
	return err
}

// FreeName is the function of that name for the folder rel beneath sorted, which
// is made where it is missing.
func (b *Batch) FreeName(sorted, rel, name string, companions []string, taken func(string) bool) (string, error) {
	h, err := b.met(sorted, rel)
	if err != nil {
		return "", err
	}
	return freeName(h.path, name, companions, taken, func(name string) error {
		_, err := h.stat(name)
		return err
	})
}

func (b *Batch) met(sorted, rel string) (*held, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.folders[place{sorted, rel, false}]; h != nil {
		return h, nil
	}
	return b.targetFolder(sorted, rel)
}

// Do is that of the Mover.
func (b *Batch) Do(ctx context.Context, mv Move) (copied bool, err error) {
	if err := mv.check(); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("move %q: %w", mv.Source, err)
	}
	for try := 0; ; try++ {
		copied, err = b.attempt(ctx, mv)
		if err == nil {
			return copied, nil
		}
		changed := errors.Is(err, ErrChanged)
		unclear := changed || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errLeftOver)
		if !unclear || try == 1 {
			return false, err
		}
		// An earlier try may have got there: gone from here, or taken over
		// there, by this very file.
		if errors.Is(err, errLeftOver) {
			if err := b.sweepTarget(mv); err != nil {
				return false, err
			}
		}
		outcome, across, rerr := b.resume(ctx, mv)
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
		b.forget(mv.Root)
	}
}

func (b *Batch) attempt(ctx context.Context, mv Move) (copied bool, err error) {
	t := &transfer{Batch: b, Move: mv, from: noDir, to: noDir, file: noFile}
	defer func() { t.file.close() }()
	if err := t.openSource(ctx); err != nil {
		return false, err
	}
	if err := t.syncContent(); err != nil {
		return false, fmt.Errorf("sync %q: %w", t.source(), err)
	}
	if err := t.openTarget(); err != nil {
		return false, err
	}
	if !t.Fresh && t.leftOver() {
		return false, errLeftOver
	}
	return t.move(ctx)
}
