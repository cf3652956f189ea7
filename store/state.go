package store

import (
	"encoding/json"
	"time"
)

// State says how far a document has come. The values are stored and shown to
// users; they are a contract.
type State string

// The states, in the order in which a document passes through them.
const (
	// Waiting: known, not submitted. It may be new, wait out a pause after a
	// refusal, wait for identical content that is in flight, or be unreadable.
	Waiting State = "waiting"
	// Submitting: an upload was begun and its outcome is not stored yet.
	Submitting State = "submitting"
	// Pending: the service accepted it and the job's id is stored.
	Pending State = "pending"
	// Identified: the type is known, the file not moved.
	Identified State = "identified"
	// Filed: moved into the folder of its type.
	Filed State = "filed"
	// Review: moved into the folder for answers of low confidence.
	Review State = "review"
	// Failed: it could not be identified; moved into the folder for those.
	Failed State = "failed"
	// Gone: changed or taken out of the inbox before it was filed.
	Gone State = "gone"
)

// States lists every state in the order in which a document passes through them.
func States() []State {
	return []State{Waiting, Submitting, Pending, Identified, Filed, Review, Failed, Gone}
}

// Finished says whether nothing more happens to a document in this state.
func (s State) Finished() bool {
	switch s {
	case Filed, Review, Failed, Gone:
		return true
	}
	return false
}

// Identity tells a file from every other one without reading it. Times are
// nanoseconds since 1970.
type Identity struct {
	Device, Inode             uint64
	Size, ModTime, ChangeTime int64
}

// Folder is a folder that documents come from. Device and Inode tell whether
// the same folder still stands at the path.
type Folder struct {
	Path          string
	Device, Inode uint64
}

// Document is one record. Times are zero, strings empty and numbers 0 where the
// thing has not happened.
type Document struct {
	ID       int64
	Inbox    Folder
	Source   string // relative to the inbox, raw bytes
	State    State
	Identity Identity
	SHA256   []byte // nil: not read yet
	// ContentType is the format by content, such as "application/pdf".
	ContentType string

	DiscoveredAt, SubmittedAt, IdentifiedAt, FinishedAt time.Time

	JobID         string // the newest job
	Submissions   int    // POSTs begun
	Resubmissions int    // POSTs made after one that was accepted or whose outcome is unknown
	Attempts      int    // jobs that the service made
	Spared        int    // those of Attempts that were made before the newest retry
	Refusals      int    // POSTs without a job since the last job
	Polls         int    // status requests
	Unknown       bool   // what became of a POST is not known
	JobOpen       bool   // the newest job was given up while the service still worked on it
	RetryAt       time.Time
	WaitsFor      int64 // the document in flight whose content is the same

	Type         string
	Confidence   float64
	Alternatives json.RawMessage
	Reused       bool // the answer was given to identical content before

	Outcome State  // what it will be once it has been moved; "" until decided
	Sorted  string // the root that Target is relative to
	Target  string // where it is being, or was, moved to
	PutBack string // where in the inbox a failed document is put back to, until it is looked at there
	Error   string // why it failed, waits or is gone
}

// Blocked says whether the document could not be read or could not be moved, so
// that nothing is done about it until that has changed.
func (d *Document) Blocked() bool {
	return d.State == Waiting && d.SHA256 == nil && d.Outcome == ""
}
