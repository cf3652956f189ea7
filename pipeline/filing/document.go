package filing

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Document is an open document of the inbox, read from its start to its end. It
// may be closed while another goroutine reads.
type Document struct {
	// Identity is that at the opening.
	Identity Identity
	path     string
	mu       sync.Mutex // nobody reads by a descriptor that was given back
	file     file
}

// OpenDocument is [Open] for reading only, at less cost.
func OpenDocument(root, rel string) (*Document, error) {
	f, st, err := openFile(root, rel)
	if err != nil {
		return nil, err
	}
	return &Document{Identity: identityOf(&st), path: filepath.Join(root, rel), file: f}, nil
}

// Examined is a document that was opened to be examined, and what holds of its
// place.
type Examined struct {
	*Document
	// RootDevice and RootInode are those of the root that it was found in.
	RootDevice, RootInode uint64
	// Fixed says why this process may not move it, as [Movable] does; nil if
	// nothing is known to forbid it.
	Fixed error
}

// Examine opens the regular file rel beneath root by the rules and with the errors
// of [Open], and says by the same descriptors whether it can be moved. The caller
// closes it where there is no error.
func Examine(root, rel string) (e Examined, err error) {
	if rel, err = localPath(rel); err != nil {
		return e, err
	}
	top, err := openRoot(root)
	if err != nil {
		return e, err
	}
	defer top.close()
	above, err := top.facts("")
	if err != nil {
		return e, fmt.Errorf("stat %q: %w", top.path, err)
	}
	e.RootDevice, e.RootInode = above.Device, above.Inode
	parent, name := filepath.Split(rel)
	if parent == "" {
		return e, e.examine(top, above, name)
	}
	d, err := top.folderBeneath(strings.TrimSuffix(parent, "/"))
	if err != nil {
		return e, err
	}
	defer d.close()
	folder, err := d.facts("")
	if err != nil {
		return e, fmt.Errorf("stat %q: %w", d.path, err)
	}
	return e, e.examine(d, folder, name)
}

// examine opens the document in its folder.
func (e *Examined) examine(d dir, folder facts, name string) error {
	path := filepath.Join(d.path, name)
	seen, err := d.facts(name)
	if err != nil {
		return fmt.Errorf("stat %q: %w", path, err)
	}
	f, st, err := d.openSeen(name, seen.regular(), seen.Identity)
	if err != nil {
		return err
	}
	e.Document = &Document{Identity: identityOf(&st), path: path, file: f}
	e.Fixed = d.fixed(name, folder, seen)
	return nil
}

// Read implements io.Reader.
func (d *Document) Read(b []byte) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file.fd < 0 {
		return 0, fmt.Errorf("read %q: %w", d.path, fs.ErrClosed)
	}
	if len(b) == 0 {
		return 0, nil
	}
	err = again(func() (err error) { n, err = unix.Read(d.file.fd, b); return err })
	switch {
	case err != nil:
		return 0, fmt.Errorf("read %q: %w", d.path, err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Unchanged returns ErrChanged where the file was written to since it was opened.
func (d *Document) Unchanged() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	st, err := d.file.stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", d.path, err)
	}
	if !identityOf(&st).SameContent(d.Identity) {
		return fmt.Errorf("read %q: %w", d.path, ErrChanged)
	}
	return nil
}

// Close closes the file.
func (d *Document) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file.fd < 0 {
		return fmt.Errorf("close %q: %w", d.path, fs.ErrClosed)
	}
	d.file.close()
	d.file = noFile
	return nil
}
