package store

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// What cannot be written cannot be recorded either: that the database's disk is
// full does not fit on it. So the daemon tells of that with a second lock on its
// lock file, which takes no room anywhere and ends with the process. Where it
// begins tells SQLite's error code, and how long it is, since when.

// troubleStart is where the lock begins that tells of the error code 0.
const troubleStart = 1 << 32

// trouble is what keeps the daemon from writing; the zero value is nothing.
type trouble struct {
	code  int   // of SQLite
	since int64 // Unix seconds
}

// troubleAgain is when it is seen whether trouble has passed, where nobody else
// wants anything written.
const troubleAgain = 5 * time.Second

// tell lets readers know how the last attempt to write ended.
func (s *Store) tell(err error) {
	var now trouble
	var e sqlite3.Error
	if DiskTrouble(err) && errors.As(err, &e) {
		now = trouble{code: int(e.Code), since: s.told.since}
		if s.told.code == 0 {
			now.since = time.Now().Unix()
		}
	}
	if now == s.told {
		return
	}
	err = s.setTroubleLock(s.told, syscall.F_UNLCK)
	if err == nil {
		err = s.setTroubleLock(now, syscall.F_WRLCK)
	}
	if err != nil {
		s.log.Warn("readers cannot be told whether the database can be written", "err", err)
	}
	s.told = now
}

func (s *Store) setTroubleLock(t trouble, kind int16) error {
	if t.code == 0 {
		return nil
	}
	l := syscall.Flock_t{Type: kind, Start: troubleStart + int64(t.code), Len: t.since}
	return syscall.FcntlFlock(s.lock.Fd(), ofdSetLock, &l)
}

// hold is how a reader shows it.
func (t trouble) hold(path string) *Hold {
	return &Hold{
		Kind: HoldDisk, Since: time.Unix(t.since, 0),
		Reason: fmt.Sprintf("write database %s: %s", path, sqlite3.ErrNo(t.code).Error()),
	}
}

// touch writes something, and changes nothing.
func (t *tx) touch() error {
	_, err := t.exec(`UPDATE daemon SET pid = pid`)
	return err
}
