package docutray

import (
	"net/http"
	"sync/atomic"
	"time"
)

// expectation decides which submissions ask with "Expect: 100-continue" whether
// their document is wanted. The question costs a round trip, and as much
// processor time again as a document of 20 KB does without it. So it is put
// where the answer can be worth that: before a document that is long to send,
// from the size from which curl does it, and where the connection may have died
// since it was used, for nothing is unknown of a document that was not sent.
//
// It also remembers that the peer leaves the question without an answer, where
// each upload would wait in vain, or refuses it.
type expectation struct {
	off      atomic.Int64 // Unix nanoseconds until which it is not asked
	answered atomic.Int64 // Unix nanoseconds of the last answer to any request
}

const (
	// expectAbove is the length of a body, in bytes, above which it is asked.
	expectAbove = 1 << 20
	// expectAfter is how long after the last answer a kept connection is not
	// trusted any more; servers begin to close idle ones after some seconds.
	expectAfter = time.Second
	// expectPause is for how long a peer is not asked that does not answer;
	// then it is tried again, for one slow moment of the service must not cost
	// the saving for ever.
	expectPause = 10 * time.Minute
)

// wanted says whether to ask before a body of length bytes.
func (x *expectation) wanted(length int64) bool {
	now := time.Now().UnixNano()
	return now >= x.off.Load() && (length > expectAbove || now-x.answered.Load() > int64(expectAfter))
}

// heard notes that the service answers.
func (x *expectation) heard(at time.Time) { x.answered.Store(at.UnixNano()) }

// learn notes what became of a submission that asked.
func (x *expectation) learn(k *call, status int, started bool) {
	ignored := started && k.waited.Load() && !k.continued.Load()
	if ignored || status == http.StatusExpectationFailed {
		x.off.Store(time.Now().Add(expectPause).UnixNano())
	}
}
