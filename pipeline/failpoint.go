package pipeline

// Step names an edge between two things that must both happen (DESIGN §3): what is
// stored, and what is then acted upon. A test that ends the process at each of them
// has ended it everywhere that matters.
type Step string

// The steps, in the order in which a document meets them.
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

// Steps are the steps of a document's way, and PutBackSteps those of putting one back.
var (
	Steps = []Step{
		SubmittingStored, Posted, AcceptedStored, Answered, IdentifiedStored,
		TargetStored, FileMoved, SidecarWritten, FoldersSynced, MovedStored,
	}
	PutBackSteps = []Step{PlaceStored, PutBackMoved, FailureRemoved, PutBackStored}
)

// reached tells the test that is interested, if there is one.
func (p *Pipeline) reached(s Step) {
	if p.OnStep != nil {
		p.OnStep(s)
	}
}
