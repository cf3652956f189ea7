package pipeline

// Step names a point between two things that must both happen (DESIGN §3). Tests end the
// process at each of them.
type Step string

// The steps of a document's way, in their order.
const (
	SubmittingStored Step = "submitting stored" // the POST comes next
	Posted           Step = "posted"            // the job's id is known and not stored
	AcceptedStored   Step = "accepted stored"
	Answered         Step = "answered" // the type is known and not stored
	IdentifiedStored Step = "identified stored"
	TargetStored     Step = "target stored" // the move comes next
	FileMoved        Step = "file moved"
	SidecarWritten   Step = "sidecar written"
	FoldersSynced    Step = "folders synced"
	MovedStored      Step = "moved stored"
)

// The steps of putting a failed document back, in their order.
const (
	PlaceStored    Step = "place stored" // the move comes next
	PutBackMoved   Step = "put back"
	FailureRemoved Step = "failure removed"
	PutBackStored  Step = "put back stored"
)

// The steps of a person's decision, in their order.
const (
	DecisionStored  Step = "decision stored" // the move comes next
	Refiled         Step = "refiled"
	SidecarsChanged Step = "sidecars changed"
	DecidedStored   Step = "decided stored"
	AnewStored      Step = "anew stored" // the daemon asks next
)

// Steps are the steps of a document's way, PutBackSteps those of putting one back, and
// RefileSteps those of a person's decision.
var (
	Steps = []Step{
		SubmittingStored, Posted, AcceptedStored, Answered, IdentifiedStored,
		TargetStored, FileMoved, SidecarWritten, FoldersSynced, MovedStored,
	}
	PutBackSteps = []Step{PlaceStored, PutBackMoved, FailureRemoved, PutBackStored}
	RefileSteps  = []Step{DecisionStored, Refiled, SidecarsChanged, DecidedStored}
)
