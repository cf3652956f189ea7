package filing

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Identity tells one state of one regular file from every other: two equal identities
// are the same file with the same content, as far as the kernel can tell without
// reading it. Device numbers may differ after a reboot and inode numbers are used
// again, so a decision long after the identity was taken needs the hash of the
// content too.
type Identity struct {
	// Device and Inode as in stat(2).
	Device, Inode uint64
	// Size in bytes.
	Size int64
	// ModTime and ChangeTime in nanoseconds since 1970.
	ModTime, ChangeTime int64
}

// IdentityOf takes the identity from what Stat or Lstat of package os returned. It
// returns false for anything but a regular file.
func IdentityOf(info fs.FileInfo) (Identity, bool) {
	if info == nil || !info.Mode().IsRegular() {
		return Identity{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Identity{}, false
	}
	// The conversions matter on architectures where the fields are smaller.
	return Identity{
		Device:     uint64(st.Dev),
		Inode:      st.Ino,
		Size:       st.Size,
		ModTime:    syscall.TimespecToNsec(st.Mtim),
		ChangeTime: syscall.TimespecToNsec(st.Ctim),
	}, true
}

// SameContent compares all but the change time: what a rename, a link, a chmod or a
// chown leaves alone.
func (a Identity) SameContent(b Identity) bool {
	return a.sameInode(b) && a.Size == b.Size && a.ModTime == b.ModTime
}

func (a Identity) sameInode(b Identity) bool {
	return a.Device == b.Device && a.Inode == b.Inode
}

// Still reports whether an open file is the very file that had this identity, whatever is
// in it by now: it has the inode, and was made before. It reports false where the
// filesystem does not say when a file was made.
func (a Identity) Still(f *os.File) bool {
	var st unix.Stat_t
	var x unix.Statx_t
	fd := int(f.Fd())
	if unix.Fstat(fd, &st) != nil || unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &x) != nil {
		return false
	}
	made := x.Btime.Sec*1e9 + int64(x.Btime.Nsec)
	return a.sameInode(identityOf(&st)) && x.Mask&unix.STATX_BTIME != 0 && made > 0 && made <= a.ChangeTime
}

func identityOf(st *unix.Stat_t) Identity {
	return Identity{
		Device:     uint64(st.Dev),
		Inode:      st.Ino,
		Size:       st.Size,
		ModTime:    st.Mtim.Nano(),
		ChangeTime: st.Ctim.Nano(),
	}
}

func isRegular(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }
