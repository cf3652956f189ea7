package store

import (
	"encoding/json"
	"slices"
	"time"
)

// State is how far a document has come. The values are stored and shown to
// users; they are a contract.
type State string

// The states, in the order in which a document passes through them.
const (
	// Waiting: known, not submitted. [Phase] says what it waits for.
	Waiting State = "waiting"
	// Submitting: an upload has begun and its outcome is not stored yet.
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
	// Gone: changed in the inbox, or removed from it, before it was filed.
	Gone State = "gone"
)

// States lists every state in the order in which a document passes through them.
func States() []State {
	return []State{Waiting, Submitting, Pending, Identified, Filed, Review, Failed, Gone}
}

// Finished reports whether nothing more happens to a document in this state.
func (s State) Finished() bool { return slices.Contains(States()[4:], s) }

// Phase is what an unfinished document waits for. It is computed by the database
// from the row, so that each condition is written once.
type Phase string

// The phases. A document whose pause (RetryAt) is not over waits for that first.
const (
	// PhaseAdmit: cannot be read or moved yet, or was put back and not looked at since.
	PhaseAdmit Phase = "admit"
	// PhaseReady: may be submitted.
	PhaseReady Phase = "ready"
	// PhaseEqual: identical content with the same options is on its way through the service.
	PhaseEqual Phase = "equal"
	// PhaseUnnamed: accepted twice without a job being named. Each further try may cost, so
	// that a person asks for it: see [Store.EndPauses].
	PhaseUnnamed Phase = "unnamed"
	// PhaseSubmit: an upload is under way.
	PhaseSubmit Phase = "submit"
	// PhasePoll: its job is under way.
	PhasePoll Phase = "poll"
	// PhaseFile: the outcome is decided, the file not moved.
	PhaseFile Phase = "file"
)

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

// Document is one row. Times are zero, strings empty and numbers 0 where the
// thing has not happened.
type Document struct {
	ID       int64
	Inbox    Folder
	Source   string // relative to the inbox, raw bytes
	State    State
	Phase    Phase // "" once it is finished
	Identity Identity
	SHA256   []byte // nil: not read yet
	// ContentType is the format by content, such as "application/pdf".
	ContentType string

	DiscoveredAt, SubmittedAt, IdentifiedAt, FinishedAt time.Time

	JobID          string // the newest job
	Submissions    int    // POSTs begun
	Resubmissions  int    // POSTs made after one that was accepted or whose outcome is unknown
	Attempts       int    // jobs that the service made
	Failures       int    // tries in a row that failed: submissions refused, or moves
	Polls          int    // status requests
	OutcomeUnknown bool   // a POST may have made a job whose id we do not have
	JobAbandoned   bool   // the newest job was given up while the service still worked on it
	AskedAgain     bool   // it was, and is polled once more
	RetryAt        time.Time

	Type         string
	Confidence   float64
	Alternatives json.RawMessage
	Reused       bool      // the answer was given to identical content before
	DecidedAt    time.Time // by a person, who chose Type; zero: the service did

	Outcome State  // what it will be once it has been moved; "" until decided
	Sorted  string // the root that Target is relative to
	Target  string // where it is being, or was, moved to
	StaysAt string // the service is asked anew: where the file lies until the answer is there, relative to Sorted
	PutBack string // where in the inbox a failed document is put back to, until it is looked at there
	Error   string // why it failed, waits or is gone
}

// Decider is who decided a document's type. The values are shown to users; they are
// a contract.
type Decider string

// The deciders.
const (
	ByService Decider = "service"
	ByPerson  Decider = "person"
)

// DecidedBy returns who decided the type; "" where there is none.
func (d *Document) DecidedBy() Decider {
	switch {
	case d.Type == "":
		return ""
	case d.DecidedAt.IsZero():
		return ByService
	}
	return ByPerson
}

// Rated reports whether the confidence is that of the type: it is not where a person
// decided otherwise than the service.
func (d *Document) Rated() bool {
	return d.DecidedBy() == ByService || d.Confidence > 0
}

// Blocked reports whether the file cannot be read or moved, so that nothing is
// done about it until that has changed.
func (d *Document) Blocked() bool {
	return d.State == Waiting && d.SHA256 == nil && d.Outcome == ""
}
