package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// arrive drops documents that stay as they are and may have equals, or one that has no
// equal and that users touch.
func (s *soak) arrive() bool {
	if s.full {
		return false // who drops meets the full disk, not docusort
	}
	if s.r.IntN(2) == 0 {
		s.dropSome(s.r, 1+s.r.IntN(4))
		return true
	}
	name := fmt.Sprintf("%c/touched %d.pdf", 'p'+rune(s.r.IntN(4)), s.serial)
	s.drop(name, s.own())
	s.touched = append(s.touched, filepath.Join(s.inbox, name))
	return true
}

// own makes a document that has no equal.
func (s *soak) own() []byte {
	s.serial++
	content := pdf([]string{invoice, receipt, contract, doubtful}[s.r.IntN(4)], fmt.Sprintf("number %d", s.serial))
	s.sources[hashOf(content)] = true
	return content
}

// pickTouched returns such a document that may still be in the inbox.
func (s *soak) pickTouched() (file string, there bool) {
	for len(s.touched) > 0 {
		i := s.r.IntN(len(s.touched))
		file = s.touched[i]
		if _, err := os.Lstat(file); err == nil {
			return file, true
		}
		s.touched = append(s.touched[:i], s.touched[i+1:]...)
	}
	return "", false
}

// expectGone: a user has removed these bytes.
func (s *soak) expectGone(content []byte) {
	h := hashOf(content)
	if len(s.dropped[h]) != 1 {
		s.t.Fatalf("%.8s is there %d times", h, len(s.dropped[h]))
	}
	s.dropped[h] = []stamp{}
}

// change rewrites a document in its place, unless it is being filed.
func (s *soak) change() bool {
	file, ok := s.pickTouched()
	if !ok || s.full {
		return false
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	noErr(s.t, err)
	defer f.Close()
	// It may have been moved before the opening; now that it is open for writing it is
	// not.
	if now, err := os.Stat(file); err != nil || !isOpen(f, now) {
		return false
	}
	old, err := os.ReadFile(file)
	noErr(s.t, err)
	content := s.own()
	noErr(s.t, f.Truncate(0))
	_, err = f.WriteAt(content, 0)
	noErr(s.t, err)
	info, err := f.Stat()
	noErr(s.t, err)
	s.expectGone(old)
	s.record(content, info)
	return true
}

func isOpen(f *os.File, info fs.FileInfo) bool {
	open, err := f.Stat()
	return err == nil && os.SameFile(open, info)
}

// replace puts another document under the name of one that is there.
func (s *soak) replace() bool {
	file, ok := s.pickTouched()
	if !ok || s.full {
		return false
	}
	content := s.own()
	aside := filepath.Join(s.dir, "aside.pdf")
	noErr(s.t, os.WriteFile(aside, content, 0o640))
	info, err := os.Stat(aside)
	noErr(s.t, err)
	if err := unix.Renameat2(unix.AT_FDCWD, aside, unix.AT_FDCWD, file, unix.RENAME_EXCHANGE); err != nil {
		noErr(s.t, os.Remove(aside))
		return false // filed in the meantime
	}
	s.record(content, info)
	old, err := os.ReadFile(aside)
	noErr(s.t, err)
	s.expectGone(old)
	noErr(s.t, os.Remove(aside))
	return true
}

// remove takes a document out of the inbox.
func (s *soak) remove() bool {
	file, ok := s.pickTouched()
	aside := filepath.Join(s.dir, "aside.pdf")
	if !ok || os.Rename(file, aside) != nil {
		return false
	}
	old, err := os.ReadFile(aside)
	noErr(s.t, err)
	s.expectGone(old)
	noErr(s.t, os.Remove(aside))
	return true
}

func (s *soak) rename() bool {
	file, ok := s.pickTouched()
	if !ok {
		return false
	}
	s.serial++
	to := filepath.Join(s.inbox, fmt.Sprintf("renamed %d.pdf", s.serial))
	if os.Rename(file, to) != nil {
		return false
	}
	s.touched = append(s.touched, to)
	return true
}

// renameFolder gives a folder another name, with all that is in it.
func (s *soak) renameFolder() bool {
	file, ok := s.pickTouched()
	if !ok || filepath.Dir(file) == s.inbox {
		return false
	}
	s.serial++
	to := filepath.Join(s.inbox, fmt.Sprintf("folder %d", s.serial))
	if os.Rename(filepath.Dir(file), to) != nil {
		return false
	}
	s.touched = append(s.touched, filesIn(s.t, to)...)
	return true
}
