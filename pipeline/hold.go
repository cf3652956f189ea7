package pipeline

import (
	"time"

	"docusort/store"
)

// cause is what a hold is about, finer than the kind that is shown: two causes
// of one kind may come and go independently.
type cause int

const (
	access   cause = iota // 401, 403 on a job: no request makes sense
	quota                 // 402, 403 on types: submissions are refused, jobs can be asked for
	settings              // document after document is refused with 400
	database              // the disk of the record cannot be written
	reading               // or not even read
	sorted                // the disk of the sorted documents
	service               // the service or the way to it is down
	limit                 // the service named a time to wait until
	causes                // their number
)

// causeInfo says what a cause means for the user and for requests.
var causeInfo = [causes]struct {
	kind        store.HoldKind
	submissions bool // holds submissions only
	probed      bool // the gate finds out whether it has passed
}{
	access:   {kind: store.HoldAccount, probed: true},
	quota:    {kind: store.HoldAccount, submissions: true, probed: true},
	settings: {kind: store.HoldAccount, submissions: true, probed: true},
	database: {kind: store.HoldDisk, submissions: true},
	reading:  {kind: store.HoldDisk, submissions: true},
	sorted:   {kind: store.HoldDisk, submissions: true},
	service:  {kind: store.HoldService, probed: true},
	limit:    {kind: store.HoldRate},
}

// Bounds of the pause between two probes (SPEC, "States").
const (
	firstProbe   = time.Second
	longestProbe = 5 * time.Minute
)

// hold is one cause that lasts.
type hold struct {
	reason  string
	since   time.Time
	until   time.Time // when it is expected to end; zero: not known
	probeAt time.Time // when the next request may go through to see
	pause   time.Duration
	probing bool // one is on its way
	seeing  bool // a submission finds out whether it meets trouble that only polls met
	// only is the one document that met the trouble; 0 when several did or when
	// it cannot be a document's own. Another document may see for itself at once.
	only int64
}

// failedProbe sets the time of the next probe: pauses double, are never longer
// than the trouble has lasted, and never longer than longestProbe.
func (h *hold) failedProbe(now time.Time) {
	h.pause = min(2*h.pause, max(now.Sub(h.since), firstProbe), longestProbe)
	h.probeAt = now.Add(h.pause)
}

// open says whether the request may go through this hold as its probe.
func (h *hold) open(now time.Time, c cause, doc int64) bool {
	if !causeInfo[c].probed || h.probing {
		return false
	}
	return !now.Before(h.probeAt) || (h.only != 0 && h.only != doc)
}
