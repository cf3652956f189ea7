package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"docusort/cmd/docusort/internal/doctor"
)

// becomeOwner gives root's rights up for those of the owner of a file or, where there is
// none yet, of the nearest folder above it, or of the service where that is root's: whoever
// owns the folders could lead root elsewhere in the middle of its work. It does nothing where
// root is the owner.
func (p program) becomeOwner(path string) error {
	if p.setUser == nil || os.Geteuid() != 0 {
		return nil
	}
	path, info, err := doctor.Nearest(path, os.Lstat) // a link could lead to a file of root
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	uid, gid := int(owner.Uid), int(owner.Gid)
	if service, err := user.Lookup(serviceUser); uid == 0 && info.IsDir() && err == nil {
		uid, _ = strconv.Atoi(service.Uid)
		gid, _ = strconv.Atoi(service.Gid)
	}
	if uid == 0 {
		return nil
	}
	if err := p.setUser(uid, gid); err != nil {
		return fmt.Errorf("become user %d, whose %s is: %w", uid, path, err)
	}
	return nil
}

// serviceUser is whom the unit runs docusort as.
const serviceUser = "docusort"

// setUser makes all threads of the process those of a user, with the user's groups, for good.
func setUser(uid, gid int) error {
	groups := []int{gid}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		ids, _ := u.GroupIds()
		for _, id := range ids {
			if n, err := strconv.Atoi(id); err == nil {
				groups = append(groups, n)
			}
		}
	}
	return errors.Join(syscall.Setgroups(groups), syscall.Setresgid(gid, gid, gid), syscall.Setresuid(uid, uid, uid))
}

// userName names whom this process is.
func userName() string {
	id := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
