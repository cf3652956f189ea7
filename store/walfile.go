package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// The header of a -wal file (sqlite.org/fileformat2.html, "The WAL file"): its
// first four bytes are one of two numbers.
const (
	walHeader = 32
	walMagic  = 0x377f0682 // or one more
)

// lostChanges refuses a database whose newest changes were taken from it, which
// SQLite does not notice: it takes a -wal file that is missing, or is none, for an
// empty one. What is in it was committed, such as the ids of jobs that are paid
// for.
//
// The -wal file is made before the -shm file and removed after it, and its header
// is on the disk before its first commit counts.
func lostChanges(path string) error {
	wal := path + "-wal"
	f, err := os.Open(wal)
	if errors.Is(err, fs.ErrNotExist) {
		if !exists(path + "-shm") {
			return nil // closed by sqlite3, or restored
		}
		return lost(path, fmt.Errorf("%s is missing, which was there when the daemon ended", wal))
	}
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer f.Close()
	head := make([]byte, walHeader)
	if _, err := io.ReadFull(f, head); err != nil || bytes.Equal(head, make([]byte, walHeader)) {
		return nil // nothing was committed to it
	}
	if binary.BigEndian.Uint32(head)&^1 != walMagic {
		return lost(path, fmt.Errorf("%s is damaged", wal))
	}
	return nil
}

func lost(path string, err error) error {
	return fmt.Errorf("%w: %w; the newest changes of %s are lost with it; nothing was changed; restore both from a backup, "+
		"or remove the -wal and -shm files to go on with the older record, which may submit documents again", ErrUnusable, err, path)
}
