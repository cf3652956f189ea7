package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// A folder that was emptied just before the end is removed by the next run, and so
// are those above it, at whichever of them it ended; an empty one of somebody else,
// and what lies in one, are left alone.
func TestEmptiedFoldersAcrossRestarts(t *testing.T) {
	for _, c := range []struct {
		name       string
		runs, stop time.Duration // of the first run after the move, and until the next
	}{
		{"at once", time.Second, time.Second},
		{"when the first was removed", 70 * time.Second, time.Second},
		{"long after", time.Second, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				must(t, os.MkdirAll(filepath.Join(r.inbox, "mine/empty"), 0o755))
				must(t, os.MkdirAll(filepath.Join(r.inbox, "a/b/empty"), 0o755))
				r.start()
				r.drop("a/kept/scan.pdf", pdf("x"), "invoice")
				r.drop("x/y/z/scan.pdf", pdf("y"), "invoice")
				r.drop("full/scan.pdf", pdf("z"), "invoice")
				r.write("full/other.pdf", pdf("other"), "invoice")
				r.until(time.Minute, "all filed", func() bool { return len(r.names()) == 3 })
				time.Sleep(c.runs)
				must(t, r.halt())
				time.Sleep(c.stop)
				r.start()
				time.Sleep(3*time.Minute + 10*time.Second)
				synctest.Wait()
				missing(t, r.inbox, "a/kept", "x")
				exists(t, r.inbox, "a/b/empty", "mine/empty", "full/other.pdf")
			})
		})
	}
}

// A folder that gets and loses a document again is left for a whole while.
func TestFolderThatIsEmptiedAgainWaitsAgain(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		for i := range 3 {
			name := fmt.Sprint("a/", i, ".pdf")
			r.drop(name, pdf(name), "invoice")
			r.reaches(name, store.Filed, 20*time.Second)
			time.Sleep(emptyFor - 10*time.Second)
			synctest.Wait()
			exists(t, r.inbox, "a")
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		missing(t, r.inbox, "a")
	})
}
