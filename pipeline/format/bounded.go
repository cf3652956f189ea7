package format

import (
	"errors"
	"io"
	"time"
)

// lookTime bounds one look at a file on a slow disk: others wait meanwhile. How much
// is read is bounded by the windows of each format.
const lookTime = time.Second

var errTooSlow = errors.New("the look at this file takes too long")

// bounded reads nothing more after a time.
type bounded struct {
	r     io.ReaderAt
	until time.Time
}

func newBounded(r io.ReaderAt) bounded { return bounded{r, time.Now().Add(lookTime)} }

func (b bounded) ReadAt(p []byte, off int64) (int, error) {
	if time.Now().After(b.until) {
		return 0, errTooSlow
	}
	return b.r.ReadAt(p, off)
}
