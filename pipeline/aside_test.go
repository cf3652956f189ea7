package pipeline

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// A copy that is dropped just when staff moved the document itself is another document.
func TestCopyOfWhatWasJustMovedByHand(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"scan.pdf": pdf("x")})
		id := r.doc("scan.pdf").ID
		r.mv("_review/receipt/scan.pdf", "contract/scan.pdf")
		r.drop("copy.pdf", pdf("x"), "receipt")
		same(t, "moved by hand", r.reaches("scan.pdf", store.Filed, 5*time.Minute).ID, id)
		same(t, "its type", r.doc("scan.pdf").Type, "contract")
		if d := r.doc("copy.pdf"); d.ID == id || !d.State.Finished() {
			t.Errorf("the copy is %+v", d)
		}
	}, uncertain)
}

// A document that staff move from _review into the inbox goes on under its record, with its
// answer, at no cost.
func TestMovedFromReviewIntoTheInbox(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"scan.pdf": pdf("x")})
		id, before := r.doc("scan.pdf").ID, r.service.Stats().Submissions
		back := func(min float64) {
			must(t, os.Rename(filepath.Join(r.sorted, r.doc("scan.pdf").Target), filepath.Join(r.inbox, "scan.pdf")))
			must(t, r.halt())
			r.cfg.MinConfidence = min
			r.start()
			r.files <- "scan.pdf"
			r.pass(time.Second)
		}
		back(0.7)
		same(t, "record", r.reaches("scan.pdf", store.Review, time.Minute).ID, id)
		sameList(t, "sorted", r.names(), "_review/receipt/scan.pdf")
		exists(t, r.sorted, "_review/receipt/scan.pdf.json")
		back(0.4)
		same(t, "record", r.reaches("scan.pdf", store.Filed, time.Minute).ID, id)
		sameList(t, "sorted", r.names(), "receipt/scan.pdf")
		missing(t, r.sorted, "_review/receipt/scan.pdf.json")
		same(t, "documents", len(r.docs()), 1)
		same(t, "submissions", r.service.Stats().Submissions, before)
		same(t, "said", r.log.count("document is back in the inbox; its answer is known (retry --again asks anew)"), 2)
	}, uncertain)
}

// What lies in a sorted folder that is away, and is not the one in the settings any more,
// keeps no copy of it waiting.
func TestCopyOfWhatLiesInAnotherSortedFolder(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.fileOneOfEach()
		old := r.moveSorted("sorted-2")
		r.start()
		for _, name := range []string{"notes.txt", "copy.txt"} {
			r.drop(name, "notes", "")
		}
		r.reaches("copy.txt", store.Failed, time.Minute)
		missing(t, old, "")
	}, uncertain)
}
