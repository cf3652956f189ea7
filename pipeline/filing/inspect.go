package filing

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Inspection is what a look at a file's content and its users told.
type Inspection struct {
	// Writing: another process has the file open for writing. False also
	// where the kernel does not say.
	Writing bool
	// Complete as by the function of that name.
	Complete bool
}

// Inspect opens the file rel beneath root by the rules and with the errors of
// Open, and says whether it is whole and whether somebody still writes to it.
// A write lease of another process (Open's ErrBusy) counts as writing.
func Inspect(root, rel string) (Inspection, error) {
	f, st, err := openFile(root, rel)
	if errors.Is(err, ErrBusy) {
		return Inspection{Writing: true}, nil
	}
	if err != nil {
		return Inspection{}, err
	}
	defer f.close()
	complete := Complete(f, st.Size)
	return Inspection{Writing: tellsWriters(f.fd) && refusesLease(f.fd), Complete: complete}, nil
}

// refusesLease asks for a read lease, which the kernel refuses with EAGAIN
// while anybody has the file open for writing, and gives it back at once: as
// long as it is held, whoever opens the file for writing waits, or is refused
// if they open without blocking. Only the owner of a file, and a process with
// CAP_LEASE, may ask; for all others, and where the filesystem has no leases,
// nothing is known and the answer is false.
//
// Someone who opens the file in that instant makes the kernel send SIGIO. The
// default action would end the process, but the Go runtime installs a handler
// for it at start and drops it, unless a program asks os/signal for every
// signal there is.
func refusesLease(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}

// tellsWriters: on network filesystems a lease is a matter of the server and
// EAGAIN means no more than "not delegated to this client" (nfs4_setlease,
// cifs_setlease), so there it would keep every file waiting for ever.
func tellsWriters(fd int) bool {
	var fs unix.Statfs_t
	if again(func() error { return unix.Fstatfs(fd, &fs) }) != nil {
		return false
	}
	const cephMagic, vboxMagic, lustreMagic, gfs2Magic, ocfs2Magic = 0x00c36400, 0x786f4256, 0x0bd00bd0, 0x01161970, 0x7461636f
	switch uint32(fs.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC,
		unix.CODA_SUPER_MAGIC, cephMagic, vboxMagic, lustreMagic, gfs2Magic, ocfs2Magic:
		return false
	}
	return true
}
