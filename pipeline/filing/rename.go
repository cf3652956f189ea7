package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// putBack returns a file that is not ours to the name it had, or to the next
// free one beside it, and returns the name.
func (m *Mover) putBack(at dir, name string, to dir, want string) (string, error) {
	const tries = 1000
	var err error
	for n := 1; n <= tries; n++ {
		candidate := NameWithSuffix(want, n)
		err = m.renameNew("put back", at, name, to, candidate)
		if !errors.Is(err, fs.ErrExist) {
			return candidate, err
		}
	}
	return "", err
}

// renameNew renames within a filesystem, onto a name that is not taken. Where
// renameat2 is lacking, a link and an unlink do it. op names the steps.
func (m *Mover) renameNew(op string, from dir, fromName string, to dir, toName string) error {
	before, err := from.stat(fromName)
	if err != nil {
		return err
	}
	id := identityOf(&before)
	there := func() bool {
		st, err := to.stat(toName)
		return err == nil && identityOf(&st).sameInode(id)
	}
	err = m.step(op, func() error {
		return unix.Renameat2(from.fd, fromName, to.fd, toName, unix.RENAME_NOREPLACE)
	})
	if lacking(err) && !there() {
		err = m.step(op+" by link", func() error {
			return unix.Linkat(from.fd, fromName, to.fd, toName, 0)
		})
		if lacking(err) && !there() {
			err = m.renameReserved(op, from, fromName, to, toName)
		}
	}
	if err == nil || there() {
		// After a rename the old name is gone already; after a link, or an
		// error in spite of success, it may not be.
		if st, serr := from.stat(fromName); serr != nil || !identityOf(&st).sameInode(id) {
			return nil
		}
		err := m.unlink(op+" unlink", from, fromName)
		if err != nil && there() {
			err = errors.Join(err, m.unlink(op+" undo", to, toName))
		}
		return err
	}
	return err
}

// renameReserved renames where there is neither RENAME_NOREPLACE nor a link
// (rclone and other FUSE filesystems): an empty file takes the name, which
// fails if it is taken, and is then renamed over.
func (m *Mover) renameReserved(op string, from dir, fromName string, to dir, toName string) error {
	var mark unix.Stat_t
	err := m.step(op+" reserve", func() error {
		fd, err := unix.Openat(to.fd, toName, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Fstat(fd, &mark)
	})
	if err == nil {
		err = m.step(op+" over", func() error {
			if st, err := to.stat(toName); err != nil || st.Size != 0 || !identityOf(&st).sameInode(identityOf(&mark)) {
				return errors.Join(unix.EEXIST, err)
			}
			return unix.Renameat(from.fd, fromName, to.fd, toName)
		})
	}
	if err == nil || mark.Ino == 0 {
		return err
	}
	if st, serr := to.stat(toName); serr == nil && identityOf(&st).sameInode(identityOf(&mark)) {
		err = errors.Join(err, m.sweepReserved(to, toName))
	}
	return err
}

// sweepReserved removes what renameReserved reserved a name with: an empty
// file of ours without any permission, which nobody else makes.
func (m *Mover) sweepReserved(d dir, name string) error {
	st, err := d.stat(name)
	if err != nil || st.Mode != unix.S_IFREG || st.Size != 0 || int(st.Uid) != os.Geteuid() {
		return nil
	}
	return m.unlink("unlink reserved", d, name)
}

// unlink removes a name, which may be gone already.
func (m *Mover) unlink(op string, d dir, name string) error {
	err := m.step(op, func() error { return unix.Unlinkat(d.fd, name, 0) })
	if err != nil {
		if _, serr := d.stat(name); errors.Is(serr, unix.ENOENT) {
			return nil
		}
		return fmt.Errorf("remove %q: %w", filepath.Join(d.path, name), err)
	}
	return nil
}

// drop removes the name of the file id from a folder. The name is claimed
// first: between a look at a name and its removal somebody can put another
// file there, between a look at the claim and its removal nobody does. Another
// file, or none, at the name is left alone: that is no error, the file is not
// there. One whose content changed is, ErrChanged.
func (m *Mover) drop(d dir, name, claim string, id Identity) error {
	if st, err := d.stat(name); err != nil || !identityOf(&st).sameInode(id) {
		if err == nil || errors.Is(err, unix.ENOENT) {
			return nil
		}
		return fmt.Errorf("stat %q: %w", filepath.Join(d.path, name), err)
	}
	if err := m.claim(d, name, claim); err != nil {
		return fmt.Errorf("claim %q: %w", filepath.Join(d.path, name), err)
	}
	st, err := d.stat(claim)
	switch {
	case err != nil:
		return fmt.Errorf("stat %q: %w", filepath.Join(d.path, claim), err)
	case !identityOf(&st).sameInode(id):
		_, err = m.putBack(d, claim, d, name)
		return err
	case !identityOf(&st).SameContent(id):
		_, err = m.putBack(d, claim, d, name)
		return errors.Join(ErrChanged, err)
	}
	if err := m.unlink("unlink", d, claim); err != nil {
		_, back := m.putBack(d, claim, d, name)
		return errors.Join(err, back)
	}
	return nil
}

// claim renames within a folder to a name that is ours alone. It may not use a
// link, which would leave the name standing; plain rename does where renameat2
// is lacking, as nobody else makes names like the claim.
func (m *Mover) claim(d dir, name, claim string) error {
	st, err := d.stat(name)
	if err != nil {
		return err
	}
	if _, err := d.stat(claim); err == nil {
		return errLeftOver
	}
	err = m.step("claim", func() error {
		return unix.Renameat2(d.fd, name, d.fd, claim, unix.RENAME_NOREPLACE)
	})
	if lacking(err) {
		err = m.step("claim by rename", func() error { return unix.Renameat(d.fd, name, d.fd, claim) })
	}
	if err != nil {
		if now, serr := d.stat(claim); serr == nil && identityOf(&now).sameInode(identityOf(&st)) {
			return nil
		}
	}
	return err
}
