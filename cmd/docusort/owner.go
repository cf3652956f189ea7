package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// becomeOwner gives root's rights up for those of the owner of a file or, where there is
// none yet, of the nearest folder above it: whoever owns the folders could lead root
// elsewhere in the middle of its work. It does nothing where root is the owner.
func (p program) becomeOwner(path string) error {
	if p.setUser == nil || os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Lstat(path)
	for ; errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path); info, err = os.Lstat(path) {
		path = filepath.Dir(path)
	}
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 {
		return nil
	}
	if err := p.setUser(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("become user %d, whose %s is: %w", owner.Uid, path, err)
	}
	return nil
}

// setUser makes all threads of the process those of a user, for good.
func setUser(uid, gid int) error {
	return errors.Join(syscall.Setgroups([]int{gid}), syscall.Setresgid(gid, gid, gid), syscall.Setresuid(uid, uid, uid))
}
