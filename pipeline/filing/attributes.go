package filing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

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
// permission bits, access list, extended attributes and times.
func (t *transfer) copyAttributes(out *os.File, name string) error {
	from, fd := int(t.file.Fd()), int(out.Fd())
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
	list, mode := accessList(from, t.was.Mode&0o777&^othersWrite)
	if err := t.setAttribute("chmod", func() error { return unix.Fchmod(fd, mode) }); err != nil {
		return err
	}
	if list != nil {
		_ = unix.Fsetxattr(fd, aclName, list, 0)
	}
	copyUserAttributes(from, fd)
	return t.setAttribute("utimes", func() error {
		times := []unix.Timespec{t.was.Atim, t.was.Mtim}
		return unix.UtimesNanoAt(t.to.fd, name, times, unix.AT_SYMLINK_NOFOLLOW)
	})
}

const (
	aclName    = "system.posix_acl_access"
	aclVersion = 2
	aclOwner   = 0x01 // tags of the entries
	aclGroup   = 0x04
	aclWrite   = 0x02     // a right
	mostXattr  = 64 << 10 // bytes, of one attribute or of the list of names
)

// accessList returns the access list of a file without what others than its owner may
// write, nil if there is none; and mode with the rights of the group itself, where the
// bits of a file with a list are those of all that it names together.
func accessList(fd int, mode uint32) ([]byte, uint32) {
	list := make([]byte, mostXattr)
	n, err := unix.Fgetxattr(fd, aclName, list)
	if err != nil || n%8 != 4 || binary.LittleEndian.Uint32(list) != aclVersion {
		return nil, mode
	}
	for entry := range slices.Chunk(list[4:n], 8) { // tag and rights, 16 bits each, and an id
		tag := binary.LittleEndian.Uint16(entry)
		if tag != aclOwner {
			entry[2] &^= aclWrite
		}
		if tag == aclGroup {
			mode &^= 0o070 &^ (uint32(entry[2]) << 3)
		}
	}
	return list[:n], mode
}

// copyUserAttributes copies what programs have noted about a document, where both
// filesystems keep it.
func copyUserAttributes(from, to int) {
	names, value := make([]byte, mostXattr), make([]byte, mostXattr)
	n, _ := unix.Flistxattr(from, names)
	for name := range strings.SplitSeq(string(names[:max(n, 0)]), "\x00") {
		if !strings.HasPrefix(name, "user.") {
			continue
		}
		if n, err := unix.Fgetxattr(from, name, value); err == nil {
			_ = unix.Fsetxattr(to, name, value[:n], 0)
		}
	}
}
