package filing

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// move tries the ways of moving in turn; see the package comment.
func (t *transfer) move(ctx context.Context) (copied bool, err error) {
	for try := 0; ; try++ {
		err = t.step("rename", func() error {
			return unix.Renameat2(t.from.fd, t.fromName, t.to.fd, t.toName, unix.RENAME_NOREPLACE)
		})
		if err == nil {
			return false, t.confirm()
		}
		if t.arrived() {
			// A server may do what is asked and report an error.
			return false, t.dropSource()
		}
		if !errors.Is(err, unix.ENOENT) || try == 2 {
			break
		}
		// Somebody took the source, or the target's folder away.
		if _, serr := t.from.stat(t.fromName); serr != nil {
			return false, fmt.Errorf("move %q: %w", t.source(), serr)
		}
		if err := t.openTarget(); err != nil {
			return false, err
		}
	}
	switch {
	case errors.Is(err, unix.EXDEV):
		return true, t.copy(ctx)
	case lacking(err):
		return t.link(ctx)
	}
	return false, t.explain("move", err)
}

// lacking reports whether err is what kernels, filesystems and seccomp filters
// return for an operation that they do not have.
func lacking(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) ||
		errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM)
}

// explain makes of a refused permission what a person can act upon.
func (t *transfer) explain(op string, err error) error {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		if why := t.from.movable(t.fromName); why != nil {
			return why
		}
		return fmt.Errorf("%s %q to %q: %w; check the owner and mode of the target's folder", op, t.source(), t.target(), err)
	}
	return fmt.Errorf("%s %q to %q: %w", op, t.source(), t.target(), err)
}

// arrived reports whether the file that was checked has the target's name.
func (t *transfer) arrived() bool {
	st, err := t.to.stat(t.toName)
	return err == nil && isRegular(&st) && identityOf(&st).sameInode(identityOf(&t.was))
}

// confirm makes sure that what was renamed is what was checked, since between
// the two somebody may have put another file there, and puts back what is not.
func (t *transfer) confirm() error {
	var there unix.Stat_t
	err := t.step("stat target", func() (err error) {
		there, err = t.to.stat(t.toName)
		return err
	})
	if err != nil {
		// %v: this is no word about the source.
		return fmt.Errorf("look at %q after the move: %v: %w", t.target(), err, errUnconfirmed)
	}
	if isRegular(&there) && identityOf(&there).SameContent(identityOf(&t.was)) {
		return nil
	}
	name, err := t.putBack(t.to, t.toName, t.from, t.fromName)
	if err != nil {
		return fmt.Errorf("%q was replaced while being moved, is at %q and cannot be put back: %w",
			t.source(), t.target(), err)
	}
	if name != t.fromName {
		t.log.Warn("a file replaced while being moved was put back under another name",
			"path", t.source(), "name", name)
	}
	return fmt.Errorf("move %q: %w", t.source(), ErrChanged)
}

var (
	// errUnconfirmed: the move was made and could not be looked at. Do again,
	// or Resume, finds out.
	errUnconfirmed = errors.New("the outcome of the move is not known")
	// errLeftOver: an earlier try of the same move was cut short.
	errLeftOver = errors.New("an earlier try of this move has to be finished first")
)

// link moves by link and unlink, for filesystems without RENAME_NOREPLACE.
func (t *transfer) link(ctx context.Context) (copied bool, err error) {
	if err := t.from.movable(t.fromName); err != nil {
		return false, err
	}
	// By descriptor, so that exactly the file that was checked is linked.
	err = t.step("link", func() error {
		return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", t.file.fd), t.to.fd, t.toName, unix.AT_SYMLINK_FOLLOW)
	})
	switch {
	case err == nil || t.arrived():
		if err := t.dropSource(); err != nil {
			return false, errors.Join(err, t.undoLink())
		}
		return false, nil
	case errors.Is(err, unix.ENOENT):
		// Without /proc, or when the source lost its last name.
		if _, serr := t.from.stat(t.fromName); serr != nil {
			return false, fmt.Errorf("move %q: %w", t.source(), serr)
		}
		return true, t.copy(ctx)
	case lacking(err), errors.Is(err, unix.EXDEV), errors.Is(err, unix.EMLINK), errors.Is(err, unix.EACCES):
		return true, t.copy(ctx)
	}
	return false, t.explain("link", err)
}

// undoLink takes a link back whose source could not be unlinked, so that the
// file keeps one name.
func (t *transfer) undoLink() error {
	st, err := t.from.stat(t.fromName)
	if err != nil || !identityOf(&st).sameInode(identityOf(&t.was)) {
		return nil // the only name left
	}
	return t.drop(t.to, t.toName, t.targetClaim(), identityOf(&st))
}

// dropSource removes the source once the target is there, if it is still what
// was checked; another file at its name is somebody's new document.
func (t *transfer) dropSource() error {
	return t.drop(t.from, t.fromName, t.sourceClaim(), identityOf(&t.was))
}
