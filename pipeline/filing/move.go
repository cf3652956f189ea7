package filing

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// rename moves by renaming, and by linking where a rename could overwrite.
func (t *transfer) rename(ctx context.Context) error {
	if err := t.syncContent(); err != nil {
		return fmt.Errorf("sync %q: %w", t.source(), ownError{err})
	}
	if err := t.restrict(); err != nil {
		return err
	}
	err := t.step("rename", func() error {
		return unix.Renameat2(t.from.fd, t.fromName, t.to.fd, t.toName, unix.RENAME_NOREPLACE)
	})
	switch {
	case err == nil:
		return t.confirm(ctx)
	case t.to.has(t.toName, identityOf(&t.was)):
		// A server may do what it is asked and report an error.
		return t.dropSource()
	case errors.Is(err, unix.EXDEV):
		return fmt.Errorf("move %q to %q: %w", t.source(), t.target(), ErrNeedsCopy)
	case unsupported(err):
		return t.link()
	case errors.Is(err, unix.ENOENT):
		return t.vanished()
	}
	return t.explain("move", err)
}

// othersWrite are the permission bits by which others than its owner could rewrite a
// document that is filed.
const othersWrite = 0o022

// restrict takes these bits off the source. A file of another owner is moved as a copy
// of our own, where the filesystem has owners of its own.
func (t *transfer) restrict() error {
	if t.was.Mode&othersWrite == 0 {
		return nil
	}
	foreign := t.was.Uid != uint32(os.Geteuid()) && hasOwners(int(t.file.Fd()))
	return t.setAttribute("chmod source", func() error {
		err := unix.Fchmod(int(t.file.Fd()), t.was.Mode&0o7777&^othersWrite)
		if foreign && errors.Is(err, unix.EPERM) {
			return ErrNeedsCopy
		}
		return err
	})
}

// unsupported reports whether err is what kernels, filesystems and seccomp filters
// return for an operation that they do not have.
func unsupported(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) ||
		errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM)
}

// vanished says which of the two places is gone.
func (t *transfer) vanished() error {
	if _, err := t.from.stat(t.fromName); err != nil {
		return fmt.Errorf("move %q: %w", t.source(), err)
	}
	return fmt.Errorf("move %q to %q: %w", t.source(), t.target(), errRaced)
}

// explain makes a refused permission actionable.
func (t *transfer) explain(op string, err error) error {
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		if why := t.from.mayMove(t.fromName); why != nil {
			return why
		}
		return fmt.Errorf("%s %q to %q: %w; check the owner and mode of the target's folder", op, t.source(), t.target(), err)
	}
	return fmt.Errorf("%s %q to %q: %w", op, t.source(), t.target(), err)
}

// confirm makes sure that the file that was renamed is the one that was checked:
// another may have come to its name in between, and is put back.
func (t *transfer) confirm(ctx context.Context) error {
	var there look
	err := t.step("stat target", func() (err error) {
		if there, err = t.look(ctx, place{t.to, t.toName}); err == nil && !there.present {
			err = unix.ENOENT
		}
		return err
	})
	if err != nil {
		// %v: err says nothing about the source. Do again, or Resume, finds out.
		return fmt.Errorf("look at %q after the move: %v", t.target(), err)
	}
	if was := identityOf(&t.was); there.id.SameContent(was) || t.isRenamed(there, was) {
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

// isRenamed reports whether a file may be the one that had the identity id, although its
// filesystem gave it another time (EncFS) or inode (mergerfs) with its new name.
func (t *transfer) isRenamed(there look, id Identity) bool {
	if t.SHA256 == nil && there.id.sameInode(id) {
		return there.id.Size == id.Size
	}
	return there.meant && (there.id.sameInode(id) || t.isOurCopy(there))
}

// link moves by link and unlink, for filesystems without RENAME_NOREPLACE.
func (t *transfer) link() error {
	if err := t.from.mayMove(t.fromName); err != nil {
		return err
	}
	// By descriptor, so that exactly the file that was checked is linked.
	err := t.step("link", func() error {
		return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", t.file.Fd()), t.to.fd, t.toName, unix.AT_SYMLINK_FOLLOW)
	})
	switch {
	case err == nil || t.to.has(t.toName, identityOf(&t.was)):
		if err := t.dropSource(); err != nil {
			return errors.Join(err, t.undo(identityOf(&t.was)))
		}
		return nil
	case errors.Is(err, unix.EEXIST):
		return t.explain("link", err)
	}
	// Filesystems without links say so in many ways: rclone returns EIO.
	return fmt.Errorf("link %q to %q: %w (%v)", t.source(), t.target(), ErrNeedsCopy, err)
}

// dropSource removes the source once the target is in place, if it is still what
// was checked. Another file at its name is a new document.
func (t *transfer) dropSource() error {
	return t.unlinkExact(t.from, t.fromName, t.sourceClaim(), identityOf(&t.was))
}

// undo removes the link or copy at the target, whose identity is id, so that the
// file keeps one name. Where the source is gone it is the only one, and stays.
func (t *transfer) undo(id Identity) error {
	st, err := t.from.stat(t.fromName)
	if err != nil || !identityOf(&st).sameInode(identityOf(&t.was)) {
		return nil
	}
	if id.sameInode(identityOf(&st)) {
		id = identityOf(&st) // a link has changed with its source
	}
	return t.unlinkExact(t.to, t.toName, t.targetClaim(), id)
}
