package watcher

import "syscall"

// shared names the filesystems that another machine, or a program behind them,
// can change without the kernel here noticing, by the magic numbers of
// statfs(2) and linux/magic.h. Not overlayfs: what goes through the watched
// mount is seen there, and the rescan finds the rest as it does everywhere.
var shared = map[uint32]string{
	0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB2",
	0x65735546: "FUSE", 0x01021997: "9p", 0x5346414f: "AFS", 0x6b414653: "AFS",
	0x00c36400: "Ceph", 0x73757245: "Coda", 0x01161970: "GFS2", 0x7461636f: "OCFS2",
	0x0bd00bd0: "Lustre", 0x47504653: "GPFS",
	0x786f4256: "VirtualBox shared folder", 0xbacbacbc: "VMware shared folder",
}

// sharedFilesystem names the shared filesystem that path is on, or returns "".
func sharedFilesystem(path string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return ""
	}
	return shared[uint32(st.Type)]
}
