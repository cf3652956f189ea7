package filing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Outcome is what Resume found a move to be.
type Outcome string

const (
	// NotStarted: something is at the source and nothing at the target. Do may be
	// called, and returns ErrChanged if the source is another file.
	NotStarted Outcome = "not started"
	// Done: the file is at the target, and no longer at the source.
	Done Outcome = "done"
	// Lost: the file is at neither place.
	Lost Outcome = "lost"
	// Taken: the source is there, and the target is something else.
	Taken Outcome = "taken"
)

// Resume finds out what became of a move that may have been interrupted, finishes
// it where the target is in place (it removes the source of a link or of a verified
// copy), and removes the temporaries. It makes no folder and may be called at any
// time, any number of times. The target is recognised by device and inode, a copy by
// its hash (by size and time where SHA256 is nil). An error means that nothing could
// be decided: ErrNoRoot where a root is missing.
func (m *Mover) Resume(ctx context.Context, mv Move) (Outcome, error) {
	if err := mv.check(); err != nil {
		return NotStarted, err
	}
	return m.resume(ctx, mv, true, 2)
}

// place is a name in a folder.
type place struct {
	dir
	name string
}

func (p place) String() string { return filepath.Join(p.path, p.name) }

// look is what Resume finds at a place.
type look struct {
	present   bool
	meant     bool // it is the file of the move, or a whole copy of it
	inode     bool // it is the very file, whatever its content is now
	unwritten bool // it is the very file, and nobody wrote to it
	id        Identity
}

// resume is Resume. A reserved target is removed where reserved is true: only if no
// other move can be about to use the name.
func (m *Mover) resume(ctx context.Context, mv Move, reserved bool, tries int) (found Outcome, err error) {
	t := &transfer{Mover: m, Move: mv, from: noDir, to: noDir}
	defer t.close()
	t.from, t.fromName, err = openParent(mv.Root, mv.Source)
	if err != nil && !isAbsent(err) {
		return NotStarted, err
	}
	t.to, t.toName, err = openParent(mv.Sorted, mv.Target)
	if err != nil && !isAbsent(err) {
		return NotStarted, err
	}
	if reserved {
		if err := t.sweepKilled(t.to, t.toName, t.copyName()); err != nil {
			return NotStarted, err
		}
	}
	if err := t.sweepCopy(); err != nil {
		return NotStarted, err
	}
	from, to := place{t.from, t.fromName}, place{t.to, t.toName}
	err = t.settle(ctx, "unlink target claim", to, t.targetClaim(), from, func(claim, source look) bool {
		return claim.meant && source.meant && t.isOurCopy(claim)
	})
	if err != nil {
		return NotStarted, err
	}
	err = t.settle(ctx, "unlink source claim", from, t.sourceClaim(), to, func(claim, target look) bool {
		return target.meant && (claim.meant && claim.unwritten || t.isRenamed(claim, t.Identity))
	})
	if err != nil {
		return NotStarted, err
	}
	target, err := t.look(ctx, to)
	if err != nil {
		return NotStarted, err
	}
	source, err := t.look(ctx, from)
	if err != nil {
		return NotStarted, err
	}
	found, err = t.decide(ctx, source, target)
	if errors.Is(err, errLeftOver) && tries > 1 { // it made a claim that has to be compared
		return m.resume(ctx, mv, reserved, tries-1)
	}
	return found, err
}

// isAbsent reports whether a folder does not exist, or is one that Open refuses.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotRegular)
}

func (t *transfer) decide(ctx context.Context, source, target look) (Outcome, error) {
	linked := source.id.sameInode(target.id)
	switch {
	case !source.present && (target.meant || target.inode):
		return Done, nil
	case !source.present:
		return Lost, nil
	case !target.present:
		return NotStarted, nil
	case linked && !source.meant:
		// A link without its unlink, written to since: a new document.
		return NotStarted, t.unlinkExact(t.to, t.toName, t.targetClaim(), source.id)
	case linked: // a link without its unlink
		return Done, t.unlinkExact(t.from, t.fromName, t.sourceClaim(), source.id)
	case target.inode, !source.meant && target.meant:
		return Done, nil // a new document came to the old place
	case target.meant && t.isOurCopy(target):
		if !source.unwritten {
			return Done, nil // an equal document came to the old place
		}
		same, err := sameBytes(ctx, place{t.from, t.fromName}, place{t.to, t.toName})
		if err != nil || !same {
			return Taken, err
		}
		// The killed try may not have synced it.
		if err := t.syncDir("fsync target folder", t.to); err != nil {
			return NotStarted, err
		}
		return Done, t.unlinkExact(t.from, t.fromName, t.sourceClaim(), source.id)
	}
	return Taken, nil
}

// isOurCopy reports whether the file has the time of the source, which a copy keeps
// and an equal document of somebody else does not have. Filesystems round times, to
// two seconds at worst.
func (t *transfer) isOurCopy(file look) bool {
	return (time.Duration(file.id.ModTime - t.Identity.ModTime)).Abs() <= 2*time.Second
}

// sameBytes compares the contents of two files, as is due before one is removed.
func sameBytes(ctx context.Context, a, b place) (bool, error) {
	var sums [2][]byte
	for i, p := range []place{a, b} {
		f, st, err := p.open(p.name)
		if err != nil {
			return false, err
		}
		sums[i], _, err = hashOf(ctx, f, st.Size)
		f.Close()
		if err != nil {
			return false, fmt.Errorf("read %q: %w", p, err)
		}
	}
	return bytes.Equal(sums[0], sums[1]), nil
}

// look finds out what is at a place.
func (t *transfer) look(ctx context.Context, p place) (look, error) {
	st, err := p.stat(p.name)
	if errors.Is(err, unix.ENOENT) {
		return look{}, nil
	}
	if err != nil {
		return look{}, fmt.Errorf("stat %q: %w", p, err)
	}
	l := look{present: true, id: identityOf(&st)}
	if !isRegular(&st) {
		return l, nil
	}
	want := t.Identity
	// A device may have another number since the last start.
	l.unwritten = l.id.Inode == want.Inode && l.id.Size == want.Size && l.id.ModTime == want.ModTime
	l.inode = l.unwritten || l.id.sameInode(want)
	if l.meant = l.id.SameContent(want); l.meant || l.id.Size != want.Size {
		return l, nil
	}
	if t.SHA256 == nil {
		l.meant = t.isOurCopy(l)
		return l, nil
	}
	f, st, err := p.open(p.name)
	if err != nil {
		return look{}, err
	}
	defer f.Close()
	l.id = identityOf(&st)
	if l.meant, err = hasHash(ctx, f, st.Size, t.SHA256); err != nil {
		return look{}, fmt.Errorf("read %q: %w", p, err)
	}
	return l, nil
}

// settle decides about a file that was claimed at a place to be removed. It is
// removed if the file stands at the other place, by its inode or as an equal whole,
// and otherwise returns to its name.
func (t *transfer) settle(ctx context.Context, op string, at place, claim string, other place, equal func(claim, other look) bool) error {
	claimed := place{at.dir, claim}
	ours, err := t.look(ctx, claimed)
	if err != nil || !ours.present {
		return err
	}
	stands, err := t.look(ctx, other)
	if err != nil {
		return err
	}
	remove := stands.present && stands.id.sameInode(ours.id) && ours.meant
	if !remove && equal(ours, stands) {
		if remove, err = sameBytes(ctx, claimed, other); err != nil {
			return err
		}
	}
	if remove {
		return t.unlink(op, at.dir, claim)
	}
	back, err := t.putBack(at.dir, claim, at.dir, at.name)
	if err != nil {
		return fmt.Errorf("put %q back to %q: %w", claimed, at.name, err)
	}
	t.log.Info("a claimed file was put back", "path", at.String(), "name", back)
	return nil
}
