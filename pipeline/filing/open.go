package filing

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"docusort/pipeline/format"
)

// Open opens the regular file rel beneath root for reading. No component of rel
// may be a symbolic link, and nothing but a regular file is ever opened
// (ErrNotRegular). The identity is that of the open descriptor. fs.ErrNotExist:
// the file is gone; ErrNoRoot: root is; ErrBusy: another process holds a write
// lease. The caller closes the file.
func Open(root, rel string) (*os.File, Identity, error) {
	d, name, err := openParent(root, rel)
	if err != nil {
		return nil, Identity{}, err
	}
	defer d.close()
	f, st, err := d.open(name)
	return f, identityOf(&st), err
}

// Stat returns the identity of the regular file rel beneath root without opening
// it, by the rules and with the errors of Open.
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

// Document is a document that was opened to be examined, with facts about its place.
type Document struct {
	*os.File
	Identity Identity // when it was opened
	// RootDevice and RootInode identify the root that the document was found in.
	RootDevice, RootInode uint64
	// Fixed says why this process may not move the document; nil if nothing is
	// known to forbid it. It is an fs.ErrPermission or unix.EROFS.
	Fixed error
}

// Examine opens the regular file rel beneath root by the rules and with the errors
// of [Open], and finds out whether it can be moved. The caller closes it where
// there is no error.
func Examine(root, rel string) (*Document, error) {
	rel, err := localPath(rel)
	if err != nil {
		return nil, err
	}
	d, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	top, err := fstat(d.fd)
	if err != nil {
		d.close()
		return nil, fmt.Errorf("stat %q: %w", root, err)
	}
	parent, name := filepath.Split(rel)
	if d, err = d.walk(parent, enter); err != nil {
		return nil, err
	}
	defer d.close()
	f, st, err := d.open(name)
	if err != nil {
		return nil, err
	}
	return &Document{File: f, Identity: identityOf(&st), RootDevice: uint64(top.Dev), RootInode: top.Ino,
		Fixed: d.mayMove(name)}, nil
}

// ContentType returns the media type of the document by its first bytes. Where the
// service does not accept the format, it returns "" and what the document is, as far as
// that is known. It leaves alone what Read returns next.
func (d *Document) ContentType() (accepted, other string, err error) {
	var head [format.SniffLength]byte
	n, err := d.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", "", err
	}
	if accepted = format.Sniff(head[:n]); accepted == "" {
		other = format.Name(head[:n])
	}
	return accepted, other, nil
}

// Unchanged returns ErrChanged if the file was written to since it was opened.
func (d *Document) Unchanged() error {
	info, err := d.Stat()
	if err != nil {
		return err
	}
	if id, ok := IdentityOf(info); !ok || !id.SameContent(d.Identity) {
		return fmt.Errorf("read %q: %w", d.Name(), ErrChanged)
	}
	return nil
}
