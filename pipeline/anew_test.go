package pipeline

import (
	"errors"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// A person may file what no service takes. It could be asked about for ever.
func TestWhatIsNotTakenIsNotAskedAboutAnew(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("notes.txt", "no document", "")
		failed := r.reaches("notes.txt", store.Failed, time.Minute)
		_, err := r.p.refiler().Refile(bg, failed, "invoice")
		must(t, err)
		if err := r.p.refiler().AskAnew(bg, r.doc("notes.txt")); !errors.Is(err, errNotTaken) {
			t.Errorf("asked anew: %v", err)
		}
		same(t, "state", r.doc("notes.txt").State, store.Filed)
	})
}
