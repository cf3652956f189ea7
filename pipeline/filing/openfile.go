package filing

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Open opens the regular file rel beneath root for reading. No component of
// rel may be a symbolic link, and nothing but a regular file is ever opened
// (ErrNotRegular). The identity is that of the open descriptor. fs.ErrNotExist:
// the file is gone; ErrNoRoot: root is; ErrBusy: another process holds a write
// lease. The caller closes the file.
func Open(root, rel string) (*os.File, Identity, error) {
	f, st, err := openFile(root, rel)
	if err != nil {
		return nil, Identity{}, err
	}
	return os.NewFile(uintptr(f.fd), filepath.Join(root, rel)), identityOf(&st), nil
}

func openFile(root, rel string) (file, unix.Stat_t, error) {
	if f, st, ok := openShallow(root, rel); ok {
		return f, st, nil
	}
	d, name, err := openParent(root, rel)
	if err != nil {
		return noFile, unix.Stat_t{}, err
	}
	defer d.close()
	return d.openIn(name)
}

// openShallow opens a file in root itself by its path: of that, only the last
// component may be no link. Where it cannot, openFile says why.
func openShallow(root, name string) (file, unix.Stat_t, bool) {
	if root == "" || strings.Contains(name, "/") || strings.Trim(name, ".") == "" {
		return noFile, unix.Stat_t{}, false
	}
	f, st, err := dir{fd: unix.AT_FDCWD}.openIn(root + "/" + name)
	return f, st, err == nil
}

// Stat returns the identity of the regular file rel beneath root without
// opening it, by the rules and with the errors of Open.
func Stat(root, rel string) (Identity, error) {
	d, name, err := openParent(root, rel)
	if err != nil {
		return Identity{}, err
	}
	defer d.close()
	st, err := d.stat(name)
	if err == nil && !isRegular(&st) {
		err = ErrNotRegular
	}
	if err != nil {
		return Identity{}, fmt.Errorf("stat %q: %w", filepath.Join(d.path, name), err)
	}
	return identityOf(&st), nil
}
