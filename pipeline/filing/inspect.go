package filing

import (
	"errors"
	"os"
	"slices"

	"docusort/pipeline/format"

	"golang.org/x/sys/unix"
)

// Inspection is the result of a look at a file's content and its users.
type Inspection struct {
	// Writing: another process has the file open for writing, as far as the kernel
	// tells, or the file is all zeros so far, as by format.Blank.
	Writing bool
	// Complete as by format.Complete. Also true of a file over the limit.
	Complete bool
}

// Inspect opens the file rel beneath root by the rules and with the errors of Open,
// and finds out whether it is whole and whether another process still writes to
// it. A write lease of another process (Open's ErrBusy) counts as writing. What is in
// a file of more than limit bytes does not matter, so it is not read.
func Inspect(root, rel string, limit int64) (Inspection, error) {
	f, id, err := Open(root, rel)
	if errors.Is(err, ErrBusy) {
		return Inspection{Writing: true}, nil
	}
	if err != nil {
		return Inspection{}, err
	}
	defer f.Close()
	if id.Size > limit {
		return Inspection{Writing: hasWriter(f), Complete: true}, nil
	}
	complete := format.Complete(f, id.Size)
	return Inspection{Writing: hasWriter(f) || format.Blank(f, id.Size), Complete: complete}, nil
}

// hasWriter reports whether anybody has the file open for writing, where that can
// be known: it asks for a read lease, which the kernel then refuses with EAGAIN, and
// gives it back at once, because whoever opens the file for writing meanwhile waits,
// or is refused if they open without blocking. Only the owner of a file, and a
// process with CAP_LEASE, may ask.
//
// Someone who opens the file in that instant makes the kernel send SIGIO. Its default
// action would end the process, but the Go runtime handles and ignores it, unless a
// program asks os/signal for every signal.
func hasWriter(f *os.File) bool {
	if !leasesTell(int(f.Fd())) {
		return false
	}
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}

// isOn reports whether an open file or folder is on a filesystem of one of these types.
func isOn(fd int, types ...uint32) bool {
	st, err := fstatfs(fd)
	return err == nil && slices.Contains(types, uint32(st.Type))
}

// hasOwners reports whether a filesystem of this machine keeps an owner and a mode for
// each file.
func hasOwners(fd int) bool {
	const ntfs3 = 0x7366746e
	return leasesTell(fd) && !isOn(fd, unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC, ntfs3)
}

// leasesTell is false for network filesystems. There the server grants leases, and
// EAGAIN means "not delegated to this client" (nfs4_setlease, cifs_setlease): every
// file would seem to be written to for ever.
func leasesTell(fd int) bool {
	const ceph, vbox, lustre, gfs2, ocfs2 = 0x00c36400, 0x786f4256, 0x0bd00bd0, 0x01161970, 0x7461636f
	return !isOn(fd, unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC,
		unix.CODA_SUPER_MAGIC, ceph, vbox, lustre, gfs2, ocfs2)
}
