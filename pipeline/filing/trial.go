package filing

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The names of a trial end so, in the order in which they come to be.
const (
	trialFile   = ".trial.new"
	trialMoved  = ".trial.tmp"
	trialFolder = ".trial"
)

// trialSize is the room, in bytes, that there has to be: for a document as
// scanners make them.
const trialSize = 1 << 20

// Try says whether documents can be put into sorted at all: it does, with a file
// and a folder of no use, what a move does with a document. So trouble of one
// document or folder is told from that of the disk. It is for one goroutine at a
// time, and leaves nothing unless it is killed: see ClearTrial. The
// tag is a word that nobody else has who puts documents there.
func (m *Mover) Try(sorted, tag string) error {
	d, err := openRoot(sorted)
	if err != nil {
		return err
	}
	defer d.close()
	err = m.clearTrial(d, temporaryPrefix+tag)
	if err == nil {
		err = m.try(d, temporaryPrefix+tag)
		err = errors.Join(err, m.clearTrial(d, temporaryPrefix+tag))
	}
	if err != nil {
		return fmt.Errorf("try to put something into %q: %w", sorted, err)
	}
	return nil
}

// ClearTrial removes what a Try left that was killed.
func (m *Mover) ClearTrial(sorted, tag string) error {
	d, err := openRoot(sorted)
	if err != nil {
		return err
	}
	defer d.close()
	return m.clearTrial(d, temporaryPrefix+tag)
}

func (m *Mover) clearTrial(d dir, prefix string) error {
	err := errors.Join(m.unlinkTrial(d, prefix+trialFile, 0), m.unlinkTrial(d, prefix+trialMoved, 0))
	return errors.Join(err, m.unlinkTrial(d, prefix+trialFolder, unix.AT_REMOVEDIR))
}

func (m *Mover) unlinkTrial(d dir, name string, flags int) error {
	if _, err := d.stat(name); err != nil {
		return nil
	}
	return again(func() error { return unix.Unlinkat(d.fd, name, flags) })
}

func (m *Mover) try(d dir, prefix string) error {
	f, err := m.create(d, prefix+trialFile)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := m.step("write new file", func() error { return takeRoom(f) }); err != nil {
		return err
	}
	if err := m.step("fsync new file", func() error { return f.Sync() }); err != nil {
		return err
	}
	err = m.step("rename", func() error {
		return unix.Renameat2(d.fd, prefix+trialFile, d.fd, prefix+trialMoved, unix.RENAME_NOREPLACE)
	})
	if err != nil && !lacking(err) {
		return err
	}
	return m.step("mkdir", func() error { return unix.Mkdirat(d.fd, prefix+trialFolder, 0o700) })
}

// takeRoom makes the file as large as a document, on the disk too.
func takeRoom(f *os.File) error {
	err := again(func() error { return unix.Fallocate(int(f.Fd()), 0, 0, trialSize) })
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	_, err = f.WriteAt(make([]byte, trialSize), 0)
	return err
}
