package filing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// copyBuffer is what a copy holds in memory, in bytes.
const copyBuffer = 256 << 10

// copy moves to another filesystem; see the package comment for the order.
func (t *transfer) copy(ctx context.Context) error {
	if err := t.from.mayMove(t.fromName); err != nil {
		return err // before the work: the last step could not be taken
	}
	if err := t.fits(); err != nil {
		return fmt.Errorf("copy %q to %q: %w", t.source(), t.target(), err)
	}
	name := t.copyName()
	id, err := t.writeNew(t.to, name, func(out *os.File) error {
		if err := t.copyContent(ctx, out); err != nil {
			return err
		}
		return t.copyAttributes(out, name)
	})
	if err != nil {
		return errors.Join(fmt.Errorf("copy %q to %q: %w", t.source(), filepath.Join(t.to.path, name), err), t.sweepCopy())
	}
	// Another daemon that sorts into the same folder makes temporaries of the same
	// names, so the copy is looked at before and after the rename.
	if !t.to.has(name, id) {
		return fmt.Errorf("the copy %q was taken away: %w", filepath.Join(t.to.path, name), errLeftOver)
	}
	if err := t.renameNew("rename copy", t.to, name, t.to, t.toName); err != nil {
		return errors.Join(fmt.Errorf("name the copy %q: %w", t.target(), err), t.sweepCopy())
	}
	// The copy has its name: from here on ctx is not asked any more.
	if !t.to.has(t.toName, id) {
		return fmt.Errorf("the copy %q was replaced: %w", t.target(), errLeftOver)
	}
	err = t.syncDir("fsync target folder", t.to)
	if err == nil {
		err = t.dropSource()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("move %q: %w", t.source(), err), t.undo(id))
	}
	return nil
}

// sweepCopy removes the temporary of a copy, whatever it holds.
func (t *transfer) sweepCopy() error { return t.unlink("unlink copy", t.to, t.copyName()) }

// copyContent copies the source and makes sure that it was what is meant, whole,
// until the end.
func (t *transfer) copyContent(ctx context.Context, out *os.File) error {
	hash := sha256.New()
	to := io.MultiWriter(out, hash)
	if t.sparse() {
		to = io.MultiWriter(sparseWriter{out}, hash)
	}
	in := io.NewSectionReader(t.file, 0, t.was.Size+1) // one more byte shows a file that grew
	n, err := t.stream(ctx, to, in)
	if err == nil && t.sparse() {
		err = t.step("truncate copy", func() error { return out.Truncate(n) })
	}
	if err != nil {
		return err
	}
	now, err := fstat(int(t.file.Fd()))
	if err != nil {
		return err
	}
	if n != t.was.Size || !identityOf(&now).SameContent(identityOf(&t.was)) ||
		t.SHA256 != nil && !bytes.Equal(hash.Sum(nil), t.SHA256) {
		return ErrChanged
	}
	return nil
}

// fits returns ENOSPC, before anything is written, where the copy has no room.
func (t *transfer) fits() error {
	const spare = 8 << 10 // for the folder and a sidecar
	need := t.was.Size
	if t.sparse() {
		need = min(need, t.was.Blocks*512)
	}
	st, err := fstatfs(t.to.fd)
	if free, known := freeSpace(&st); err == nil && known && free < uint64(need)+spare {
		return fmt.Errorf("it does not fit: %w", unix.ENOSPC)
	}
	return nil
}

// sparse reports whether the source has holes.
func (t *transfer) sparse() bool {
	hole, err := unix.Seek(int(t.file.Fd()), 0, unix.SEEK_HOLE)
	return err == nil && hole < t.was.Size
}

// sparseWriter leaves a hole where it is given nothing but zeros, so that a file that
// claims a terabyte does not fill the disk.
type sparseWriter struct{ *os.File }

func (w sparseWriter) Write(b []byte) (int, error) {
	if len(bytes.TrimLeft(b, "\x00")) > 0 {
		return w.File.Write(b)
	}
	_, err := w.Seek(int64(len(b)), io.SeekCurrent)
	return len(b), err
}

// stream copies until the end or until ctx is done.
func (m *Mover) stream(ctx context.Context, to io.Writer, from io.Reader) (n int64, err error) {
	buf := make([]byte, copyBuffer)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var got int
		var end error
		err := m.step("read", func() error {
			if got, end = from.Read(buf); end == io.EOF {
				return nil
			}
			return end
		})
		if err != nil {
			return n, ownError{err}
		}
		if got > 0 {
			err := m.step("write", func() error { _, err := to.Write(buf[:got]); return err })
			if err != nil {
				return n, err
			}
			n += int64(got)
		}
		if end == io.EOF {
			return n, nil
		}
	}
}

// hasHash reads size bytes of the file and compares.
func hasHash(ctx context.Context, f io.ReaderAt, size int64, want []byte) (bool, error) {
	sum, n, err := hashOf(ctx, f, size)
	return err == nil && n == size && bytes.Equal(sum, want), err
}

func hashOf(ctx context.Context, f io.ReaderAt, size int64) ([]byte, int64, error) {
	hash := sha256.New()
	n, err := (&Mover{}).stream(ctx, hash, io.NewSectionReader(f, 0, size))
	return hash.Sum(nil), n, err
}
