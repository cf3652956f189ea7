package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// What a person changed is not asked about anew: without an answer it would be filed under
// that for other content.
func TestWhatWasChangedIsNotAskedAboutAnew(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		d := r.file("scan.pdf", pdf("x"), "invoice")
		must(t, os.WriteFile(filepath.Join(r.sorted, d.Target), []byte(pdf("changed")), 0o640))
		is(t, "changed", r.p.refiler().AskAnew(bg, d), errChangedSince)
		same(t, "state", r.doc("scan.pdf").State, store.Filed)
	})
}

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
