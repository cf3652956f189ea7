package filing

import "golang.org/x/sys/unix"

// facts are what is known of a file or folder without opening it.
type facts struct {
	Identity
	mode, uid, gid uint32
	fixed          bool // has the immutable or append-only attribute
}

func (f *facts) regular() bool { return f.mode&unix.S_IFMT == unix.S_IFREG }

// facts are those of a name in the folder, of the folder itself for "". Where the
// kernel does not tell of attributes, none are set.
func (d dir) facts(name string) (facts, error) {
	const wanted = unix.STATX_BASIC_STATS
	flags := unix.AT_SYMLINK_NOFOLLOW
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	var st unix.Statx_t
	err := again(func() error { return unix.Statx(d.fd, name, flags, wanted, &st) })
	if err != nil && !lacking(err) {
		return facts{}, err
	}
	if err == nil && st.Mask&wanted == wanted {
		return facts{
			Identity: Identity{
				Device: unix.Mkdev(st.Dev_major, st.Dev_minor), Inode: st.Ino, Size: int64(st.Size),
				ModTime: nanoseconds(st.Mtime), ChangeTime: nanoseconds(st.Ctime),
			},
			mode: uint32(st.Mode), uid: st.Uid, gid: st.Gid,
			fixed: st.Attributes&st.Attributes_mask&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0,
		}, nil
	}
	// A kernel or seccomp filter without it, or a server that tells less.
	var old unix.Stat_t
	if err := again(func() error { return unix.Fstatat(d.fd, name, &old, flags) }); err != nil {
		return facts{}, err
	}
	return facts{
		Identity: identityOf(&old), mode: uint32(old.Mode), uid: old.Uid, gid: old.Gid,
		fixed: err == nil && st.Attributes&st.Attributes_mask&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0,
	}, nil
}

func nanoseconds(t unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }
