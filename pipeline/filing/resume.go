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
type Outcome int

const (
	// NotStarted: something is at the source and nothing at the target; Do
	// may be called, and says ErrChanged if the source is another file.
	NotStarted Outcome = iota
	// Done: the file is at the target, and no longer at the source.
	Done
	// Lost: the file is at neither place.
	Lost
	// Taken: the source is there, and the target is something else.
	Taken
)

// String is the name of the outcome.
func (o Outcome) String() string {
	switch o {
	case NotStarted:
		return "not started"
	case Done:
		return "done"
	case Lost:
		return "lost"
	case Taken:
		return "taken"
	}
	return fmt.Sprintf("Outcome(%d)", int(o))
}

// Resume says what became of a move that may have been interrupted, finishes
// it where the target is in place (the source of a link or of a verified copy
// is removed), and removes the temporaries. It makes no folder and may be
// called at any time, any number of times. The target is recognised by device
// and inode, a copy by its hash (its size and time where SHA256 is nil). An
// error means that nothing could be decided: ErrNoRoot where a root is away.
func (m *Mover) Resume(ctx context.Context, mv Move) (Outcome, error) {
	if err := mv.check(); err != nil {
		return NotStarted, err
	}
	if err := m.sweepTarget(mv); err != nil {
		return NotStarted, err
	}
	return m.resume(ctx, mv)
}

// sweepTarget removes an empty file that a killed try reserved the target's name
// with: that of another move that is under way, and met its name, is left alone.
func (m *Mover) sweepTarget(mv Move) error {
	to, name, err := openParent(mv.Sorted, mv.Target)
	if err != nil {
		if isAbsent(err) {
			return nil
		}
		return err
	}
	defer to.close()
	return m.sweepReserved(to, name)
}

// look is one name as Resume finds it.
type look struct {
	present bool
	// meant: it is the file of the move, or a whole copy of it.
	meant bool
	// inode: it is the very file, whatever its content is now.
	inode bool
	// unwritten: it is the very file, and nobody wrote to it.
	unwritten bool
	id        Identity
}

// resume is Resume for a target whose name is not reserved.
func (m *Mover) resume(ctx context.Context, mv Move) (_ Outcome, err error) {
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
	if err := t.sweepCopy(); err != nil {
		return NotStarted, err
	}
	if err := t.settleTargetClaim(ctx); err != nil {
		return NotStarted, err
	}
	target, err := t.look(ctx, t.to, t.toName)
	if err != nil {
		return NotStarted, err
	}
	if err := t.settleSourceClaim(ctx, target); err != nil {
		return NotStarted, err
	}
	source, err := t.look(ctx, t.from, t.fromName)
	if err != nil {
		return NotStarted, err
	}
	return t.decide(ctx, source, target)
}

// isAbsent reports whether a folder does not exist, or is one that Open refuses.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotRegular)
}

func (t *transfer) decide(ctx context.Context, source, target look) (Outcome, error) {
	switch {
	case !source.present && (target.meant || target.inode):
		return Done, nil
	case !source.present:
		return Lost, nil
	case !target.present:
		return NotStarted, nil
	case source.id.sameInode(target.id) && !source.meant:
		// A link without its unlink, written to since: a new document.
		return NotStarted, t.unlinkExact(t.to, t.toName, t.targetClaim(), source.id)
	case source.id.sameInode(target.id):
		// A link without its unlink.
		if err := t.unlinkExact(t.from, t.fromName, t.sourceClaim(), source.id); err != nil {
			return NotStarted, err
		}
		return Done, nil
	case target.inode, !source.meant && target.meant:
		return Done, nil // a new document came to the old place
	case target.meant && t.isOurCopy(target):
		if !source.unwritten {
			return Done, nil // an equal one did
		}
		same, err := sameBytes(ctx, t.from, t.fromName, t.to, t.toName)
		if err != nil || !same {
			return Taken, err
		}
		// Only now: the killed try may not have got as far.
		if err := t.syncDir("fsync target folder", t.to); err != nil {
			return NotStarted, err
		}
		if err := t.unlinkExact(t.from, t.fromName, t.sourceClaim(), source.id); err != nil {
			return NotStarted, err
		}
		return Done, nil
	}
	return Taken, nil
}

// isOurCopy: a copy keeps the time of its source, which tells it from an equal
// document that somebody else put there. Filesystems round times, to two
// seconds at worst.
func (t *transfer) isOurCopy(target look) bool {
	return (time.Duration(target.id.ModTime - t.Identity.ModTime)).Abs() <= 2*time.Second
}

// sameBytes compares two files by their content: nothing less will do before
// one of them is removed.
func sameBytes(ctx context.Context, a dir, aName string, b dir, bName string) (bool, error) {
	var sums [2][]byte
	for i, at := range []struct {
		dir
		name string
	}{{a, aName}, {b, bName}} {
		f, st, err := at.open(at.name)
		if err != nil {
			return false, err
		}
		sums[i], _, err = hashOf(ctx, f, st.Size)
		f.Close()
		if err != nil {
			return false, fmt.Errorf("read %q: %w", filepath.Join(at.path, at.name), err)
		}
	}
	return bytes.Equal(sums[0], sums[1]), nil
}

// look finds out what a name in a folder is.
func (t *transfer) look(ctx context.Context, d dir, name string) (look, error) {
	st, err := d.stat(name)
	if errors.Is(err, unix.ENOENT) {
		return look{}, nil
	}
	if err != nil {
		return look{}, fmt.Errorf("stat %q: %w", filepath.Join(d.path, name), err)
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
	f, st, err := d.open(name)
	if err != nil {
		return look{}, err
	}
	defer f.Close()
	l.id = identityOf(&st)
	if l.meant, err = hasHash(ctx, f, st.Size, t.SHA256); err != nil {
		return look{}, fmt.Errorf("read %q: %w", filepath.Join(d.path, name), err)
	}
	return l, nil
}

// settleTargetClaim decides about a finished copy that was being taken back:
// it goes where the source stands whole, and returns to its name otherwise.
func (t *transfer) settleTargetClaim(ctx context.Context) error {
	claim, err := t.look(ctx, t.to, t.targetClaim())
	if err != nil || !claim.present {
		return err
	}
	source, err := t.look(ctx, t.from, t.fromName)
	if err != nil {
		return err
	}
	ours := source.present && source.id.sameInode(claim.id)
	if !ours && claim.meant && source.meant && t.isOurCopy(claim) {
		ours, err = sameBytes(ctx, t.from, t.fromName, t.to, t.targetClaim())
		if err != nil {
			return err
		}
	}
	if ours {
		return t.unlink("unlink target claim", t.to, t.targetClaim())
	}
	return t.giveBack(t.to, t.targetClaim(), t.toName)
}

// settleSourceClaim decides about a source that was being removed: it goes
// where the target stands, and returns to its name otherwise.
func (t *transfer) settleSourceClaim(ctx context.Context, target look) error {
	claim, err := t.look(ctx, t.from, t.sourceClaim())
	if err != nil || !claim.present {
		return err
	}
	done := target.present && target.id.sameInode(claim.id)
	if !done && claim.unwritten && claim.meant && target.meant {
		done, err = sameBytes(ctx, t.from, t.sourceClaim(), t.to, t.toName)
		if err != nil {
			return err
		}
	}
	if done {
		return t.unlink("unlink source claim", t.from, t.sourceClaim())
	}
	return t.giveBack(t.from, t.sourceClaim(), t.fromName)
}

func (t *transfer) giveBack(d dir, claim, name string) error {
	back, err := t.putBack(d, claim, d, name)
	if err != nil {
		return fmt.Errorf("put %q back to %q: %w", filepath.Join(d.path, claim), name, err)
	}
	t.log.Info("a claimed file was put back", "path", filepath.Join(d.path, name), "name", back)
	return nil
}
