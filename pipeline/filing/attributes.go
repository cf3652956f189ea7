package filing

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// setAttribute sets an attribute of a document. Some filesystems refuse to (CIFS with
// uid=, FAT): the document is filed without it, which the log says once.
func (m *Mover) setAttribute(op string, set func() error) error {
	err := m.step(op, set)
	switch {
	case err == nil:
		return nil
	case !unsupported(err) && !errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s: %w", op, err)
	}
	m.refused.Do(func() {
		m.log.Warn("a filesystem does not let attributes of documents be set; leaving them as they are", "op", op, "err", err)
	})
	return nil
}

// copyAttributes gives the copy what its filesystem keeps of the source's owner,
// permission bits and times.
func (t *transfer) copyAttributes(out *os.File, name string) error {
	fd := int(out.Fd())
	st, err := fstat(fd)
	if err != nil {
		return err
	}
	if st.Uid != t.was.Uid || st.Gid != t.was.Gid {
		err := t.step("chown", func() error { return unix.Fchown(fd, int(t.was.Uid), int(t.was.Gid)) })
		if err != nil {
			_ = t.step("chown group", func() error { return unix.Fchown(fd, -1, int(t.was.Gid)) })
		}
	}
	// No set-ID bits: a document needs none, and RestrictSUIDSGID refuses them.
	mode := t.was.Mode & 0o777 &^ othersWrite
	if err := t.setAttribute("chmod", func() error { return unix.Fchmod(fd, mode) }); err != nil {
		return err
	}
	return t.setAttribute("utimes", func() error {
		times := []unix.Timespec{t.was.Atim, t.was.Mtim}
		return unix.UtimesNanoAt(t.to.fd, name, times, unix.AT_SYMLINK_NOFOLLOW)
	})
}
