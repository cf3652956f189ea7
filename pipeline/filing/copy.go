package filing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// copyBuffer is what a copy holds in memory, in bytes.
const copyBuffer = 256 << 10

// copy moves to another filesystem; see the package comment for the order.
func (t *transfer) copy(ctx context.Context) error {
	if err := t.from.movable(t.fromName); err != nil {
		return err // before the work: the last step could not be taken
	}
	// What a killed try of this very move left.
	if err := t.sweepCopy(); err != nil {
		return err
	}
	name := t.copyName()
	id, err := t.writeCopy(ctx, name)
	if err != nil {
		return errors.Join(err, t.sweepCopy())
	}
	if st, err := t.to.stat(name); err != nil || !identityOf(&st).sameInode(id) {
		return fmt.Errorf("the copy %q was taken away: %w", filepath.Join(t.to.path, name), errLeftOver)
	}
	if err := t.renameNew("rename copy", t.to, name, t.to, t.toName); err != nil {
		return errors.Join(fmt.Errorf("name the copy %q: %w", t.target(), err), t.sweepCopy())
	}
	// The copy has its name and the context no say any more. If it is the copy:
	// another daemon that sorts into the same folder makes temporaries of the
	// same names.
	err = t.isCopy(id)
	if err == nil {
		err = t.syncDir("fsync target folder", t.to)
	}
	if err == nil {
		err = t.dropSource()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("move %q: %w", t.source(), err), t.undoCopy(id))
	}
	return nil
}

// isCopy makes sure that what has the target's name is the copy that was written.
func (t *transfer) isCopy(id Identity) error {
	st, err := t.to.stat(t.toName)
	if err != nil {
		return fmt.Errorf("look at the copy: %v: %w", err, errUnconfirmed)
	}
	if !identityOf(&st).sameInode(id) {
		return fmt.Errorf("the copy was replaced: %w", errLeftOver)
	}
	return nil
}

// undoCopy removes the finished copy again, unless the source is gone and the
// copy the only one.
func (t *transfer) undoCopy(id Identity) error {
	st, err := t.from.stat(t.fromName)
	if err != nil || !identityOf(&st).sameInode(identityOf(&t.was)) {
		return nil
	}
	return t.drop(t.to, t.toName, t.targetClaim(), id)
}

// sweepCopy removes the temporary of a copy, whatever it holds.
func (t *transfer) sweepCopy() error {
	st, err := t.to.stat(t.copyName())
	if err != nil || !isRegular(&st) {
		return nil
	}
	return t.unlink("unlink copy", t.to, t.copyName())
}

// writeCopy makes the copy under its temporary name, whole and synced, and
// returns its identity.
func (t *transfer) writeCopy(ctx context.Context, name string) (Identity, error) {
	path := filepath.Join(t.to.path, name)
	out, err := t.create(t.to, name)
	if err != nil {
		return Identity{}, fmt.Errorf("create %q: %w", path, err)
	}
	defer out.Close()
	hash := sha256.New()
	in := io.NewSectionReader(t.file, 0, t.was.Size+1) // one more shows a file that grew
	n, err := t.stream(ctx, io.MultiWriter(out, hash), in)
	if err != nil {
		return Identity{}, fmt.Errorf("copy %q to %q: %w", t.source(), path, err)
	}
	var now unix.Stat_t
	if err := unix.Fstat(t.file.fd, &now); err != nil {
		return Identity{}, fmt.Errorf("stat %q: %w", t.source(), err)
	}
	if n != t.was.Size || !identityOf(&now).SameContent(identityOf(&t.was)) ||
		t.SHA256 != nil && !bytes.Equal(hash.Sum(nil), t.SHA256) {
		return Identity{}, fmt.Errorf("copy %q: %w", t.source(), ErrChanged)
	}
	if err := t.dress(out, name); err != nil {
		return Identity{}, fmt.Errorf("attributes of %q: %w", path, err)
	}
	if err := t.step("fsync copy", func() error { return out.Sync() }); err != nil {
		return Identity{}, fmt.Errorf("sync %q: %w", path, err)
	}
	if err := unix.Fstat(int(out.Fd()), &now); err != nil {
		return Identity{}, fmt.Errorf("stat %q: %w", path, err)
	}
	// Some filesystems only report a full disk when the file is closed.
	if err := t.step("close copy", func() error { return out.Close() }); err != nil {
		return Identity{}, fmt.Errorf("close %q: %w", path, err)
	}
	return identityOf(&now), nil
}

// create makes a new file for writing.
func (m *Mover) create(d dir, name string) (*os.File, error) {
	fd := -1
	err := m.step("create", func() (err error) {
		fd, err = unix.Openat(d.fd, name,
			unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

// stream copies until the end or until ctx is done.
func (m *Mover) stream(ctx context.Context, to io.Writer, from io.Reader) (n int64, err error) {
	buf := make([]byte, copyBuffer)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var got int
		var end error
		err := m.step("read", func() error {
			got, end = from.Read(buf)
			if end != nil && end != io.EOF {
				return end
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		if got > 0 {
			err := m.step("write", func() error { _, err := to.Write(buf[:got]); return err })
			if err != nil {
				return n, err
			}
			n += int64(got)
		}
		if end == io.EOF {
			return n, nil
		}
	}
}

// dress gives the copy the owner, mode and times of the source. The owner is
// kept where the system permits; without it the bits that lend the owner's
// rights are not.
func (t *transfer) dress(out *os.File, name string) error {
	fd := int(out.Fd())
	mode := t.was.Mode & 0o7777
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Uid != t.was.Uid || st.Gid != t.was.Gid {
		err := t.step("chown", func() error { return unix.Fchown(fd, int(t.was.Uid), int(t.was.Gid)) })
		if err != nil {
			mode &= 0o1777
			_ = t.step("chown group", func() error { return unix.Fchown(fd, -1, int(t.was.Gid)) })
		}
	}
	err := t.step("chmod", func() error { return unix.Fchmod(fd, mode) })
	if errors.Is(err, unix.EPERM) && mode&^0o777 != 0 {
		// systemd's RestrictSUIDSGID refuses only the special bits.
		err = t.step("chmod plain", func() error { return unix.Fchmod(fd, mode&0o777) })
	}
	if err != nil {
		return err
	}
	return t.step("utimes", func() error {
		times := []unix.Timespec{t.was.Atim, t.was.Mtim}
		return unix.UtimesNanoAt(t.to.fd, name, times, unix.AT_SYMLINK_NOFOLLOW)
	})
}

// hasHash reads size bytes of the file and compares.
func hasHash(ctx context.Context, f io.ReaderAt, size int64, want []byte) (bool, error) {
	sum, n, err := hashOf(ctx, f, size)
	return err == nil && n == size && bytes.Equal(sum, want), err
}

func hashOf(ctx context.Context, f io.ReaderAt, size int64) ([]byte, int64, error) {
	hash := sha256.New()
	n, err := (&Mover{}).stream(ctx, hash, io.NewSectionReader(f, 0, size))
	return hash.Sum(nil), n, err
}
