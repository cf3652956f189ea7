package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// putBack returns a file that is not ours to the name it had, or to the next free
// one beside it, and returns the name.
func (m *Mover) putBack(at dir, name string, to dir, want string) (string, error) {
	const tries = 1000
	var err error
	for n := 1; n <= tries; n++ {
		candidate := nameWithSuffix(want, n, maxName)
		err = m.renameNew("put back", at, name, to, candidate)
		if !errors.Is(err, fs.ErrExist) {
			return candidate, err
		}
	}
	return "", err
}

// renameNew renames within a filesystem, onto a name that is not taken. Without
// renameat2, a link and an unlink do it. op names the steps.
func (m *Mover) renameNew(op string, from dir, fromName string, to dir, toName string) error {
	before, err := from.stat(fromName)
	if err != nil {
		return err
	}
	id := identityOf(&before)
	arrived := func() bool { return to.has(toName, id) }
	err = m.step(op, func() error {
		return unix.Renameat2(from.fd, fromName, to.fd, toName, unix.RENAME_NOREPLACE)
	})
	if unsupported(err) && !arrived() {
		err = m.step(op+" by link", func() error {
			return unix.Linkat(from.fd, fromName, to.fd, toName, 0)
		})
		if err != nil && !errors.Is(err, fs.ErrExist) && !arrived() {
			err = m.renameReserved(op, from, fromName, to, toName)
		}
	}
	if err != nil && !arrived() {
		return err
	}
	// After a link, or an error in spite of success, the old name is still there.
	if !from.has(fromName, id) {
		return nil
	}
	err = m.unlink(op+" unlink", from, fromName)
	if err != nil && arrived() {
		err = errors.Join(err, m.unlink(op+" undo", to, toName))
	}
	return err
}

// renameReserved renames where the filesystem has neither RENAME_NOREPLACE nor links
// (rclone and other FUSE filesystems): an empty file reserves the name, which fails
// if it is taken, and is then renamed over.
func (m *Mover) renameReserved(op string, from dir, fromName string, to dir, toName string) error {
	var mark unix.Stat_t
	err := m.step(op+" reserve", func() error {
		fd, err := openat(to.fd, toName, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0)
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
	if err != nil && mark.Ino != 0 {
		err = errors.Join(err, m.sweepReserved(to, toName, func(st *unix.Stat_t) bool {
			return identityOf(st).sameInode(identityOf(&mark))
		}))
	}
	return err
}

// refusesName reports whether the target's filesystem does not take its name. Errors
// do not tell (exFAT returns ENOENT), so it makes a folder of that name, and removes it.
// A file would not do: on rclone an empty one may come back after its removal.
func (t *transfer) refusesName() bool {
	if NextName(t.toName) == t.toName {
		return false
	}
	err := t.step("try name", func() error { return unix.Mkdirat(t.to.fd, t.toName, 0o700) })
	if err == nil {
		_ = unix.Unlinkat(t.to.fd, t.toName, unix.AT_REMOVEDIR)
	}
	return err != nil && !errors.Is(err, fs.ErrExist) && !DiskTrouble(err)
}

// sweepReserved removes an empty file that reserves a name, which ours tells.
func (m *Mover) sweepReserved(d dir, name string, ours func(*unix.Stat_t) bool) error {
	st, err := d.stat(name)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size != 0 || !ours(&st) {
		return nil
	}
	return m.unlink("unlink reserved", d, name)
}

// sweepKilled removes an empty file that reserves a name for a run that was killed: ours
// and without any permission, as nobody else makes them, or beside temp, the file that was
// about to have the name, as not all filesystems have permissions.
func (m *Mover) sweepKilled(d dir, name, temp string) error {
	_, there := d.stat(temp)
	return m.sweepReserved(d, name, func(st *unix.Stat_t) bool {
		return there == nil || st.Mode == unix.S_IFREG && int(st.Uid) == os.Geteuid()
	})
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

// unlinkExact removes a name of the file id. It claims the name first: between a
// look at a name and its removal somebody can put another file there, but nobody
// puts one at the claim. Another file, or none, at the name is left alone: that is
// not an error. A file whose content changed is one, ErrChanged, and stays. A claim
// that cannot be removed, or has to be compared, is left to Resume.
func (m *Mover) unlinkExact(d dir, name, claim string, id Identity) error {
	st, err := d.stat(name)
	switch {
	case errors.Is(err, unix.ENOENT), err == nil && !identityOf(&st).sameInode(id):
		return nil
	case err != nil:
		return fmt.Errorf("stat %q: %w", filepath.Join(d.path, name), err)
	}
	if err := m.claim(d, name, claim, id); err != nil {
		return fmt.Errorf("claim %q: %w", filepath.Join(d.path, name), err)
	}
	st, err = d.stat(claim)
	if err != nil {
		return fmt.Errorf("stat %q: %w", filepath.Join(d.path, claim), err)
	}
	switch claimed := identityOf(&st); {
	case claimed.SameContent(id):
		if err = m.unlink("unlink", d, claim); err != nil {
			return fmt.Errorf("%w: %w", errLeftOver, err)
		}
		return nil
	case claimed.Size == id.Size:
		return errLeftOver // its filesystem may change times (EncFS) or inodes (mergerfs)
	case claimed.sameInode(id):
		err = ErrChanged
	}
	_, back := m.putBack(d, claim, d, name)
	return errors.Join(err, back)
}

// claim renames within a folder to a name that is ours alone. A link would leave
// the old name standing. A plain rename is safe, because nobody else makes names like
// the claim.
func (m *Mover) claim(d dir, name, claim string, id Identity) error {
	if _, err := d.stat(claim); err == nil {
		return errLeftOver
	}
	err := m.step("claim", func() error { return unix.Renameat(d.fd, name, d.fd, claim) })
	if d.has(claim, id) {
		return nil // whatever the server reports
	}
	return err
}
