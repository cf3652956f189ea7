package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"

	"golang.org/x/sys/unix"
)

// Neither by one document nor by the next of that name.
func TestExistingFileIsNotOverwritten(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.MkdirAll(filepath.Join(r.sorted, "invoice"), 0o755))
		must(t, os.WriteFile(filepath.Join(r.sorted, "invoice/scan.pdf"), []byte("mine"), 0o600))
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.drop("b/scan.pdf", pdf("y"), "invoice")
		r.allFiled(3, time.Minute)
		found := tree(t, r.sorted)
		same(t, "what was there", found["invoice/scan.pdf"], "mine")
		sameList(t, "sorted", r.names(), "invoice/scan-2.pdf", "invoice/scan-3.pdf", "invoice/scan.pdf")
		same(t, "the first", found["invoice/"+filepath.Base(r.doc("scan.pdf").Target)], pdf("x"))
		same(t, "the second", found["invoice/"+filepath.Base(r.doc("b/scan.pdf").Target)], pdf("y"))
	})
}

func TestStrangeNamesAndTypes(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		names := map[string]string{ // name: type
			"two\nlines.pdf":            "invoice",
			"latin\xe9.pdf":             "invoice",
			strings.Repeat("n", 255):    "../../escape",
			"a b/ü/-rf \"quoted\";.pdf": "_failed",
			"Ω.pdf":                     "/",
		}
		for name, kind := range names {
			r.file(name, pdf(name), kind)
		}
		sameList(t, "sorted", r.names(), "escape/"+strings.Repeat("n", 255), "failed/-rf \"quoted\";.pdf",
			"invoice/latin\xe9.pdf", "invoice/two\nlines.pdf", "unknown/Ω.pdf")
	}, func(c *Config) { c.Sidecar = false })
}

// DOCUSORT_FOLDERS says where documents are filed, and nothing of _review and _failed. The
// day is that of the discovery.
func TestFoldersByDate(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 48 * time.Hour}, func(r *rig) {
		day := time.Now().Format("2006/01-02")
		r.start()
		r.drop("scan.pdf", pdf("x"), "../invoice")
		r.drop("notes.txt", "notes", "")
		r.write("unsure.pdf", pdf("y"), "receipt")
		r.knows(pdf("y"), "receipt", 0.3)
		r.files <- "unsure.pdf"
		r.allFiled(3, 96*time.Hour)
		sameList(t, "sorted", r.names(), day+"/invoice/scan.pdf", "_failed/notes.txt", "_review/receipt/unsure.pdf")
	}, func(c *Config) {
		c.MinConfidence, c.JobTimeout = 0.7, 96*time.Hour
		c.Folders, _ = filing.ParseFolders("{year}/{month}-{day}/{type}")
	})
}

// A filesystem that refuses the folder and the name of a document gets others. The record
// keeps the document's own name.
func TestNamesThatAreRefused(t *testing.T) {
	tries := make(map[string]int)
	mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
		if !done {
			tries[op]++
		}
		switch {
		case op == "mkdir" && tries[op]%2 == 1, // each other one is of the safe name
			(op == "rename" || op == "link" || op == "try name") && tries[op] == 1:
			return unix.EINVAL
		}
		return nil
	}})
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.file("sub/Invoice: May?.pdf", pdf("x"), "in:voice")
		folder := filing.SafeFolder("in:voice")
		sameList(t, "sorted", r.names(), folder+"/Invoice- May-.pdf")
		same(t, "target", r.doc("sub/Invoice: May?.pdf").Target, folder+"/Invoice- May-.pdf")
		same(t, "tries of the own name", tries["try name"], 1)
	}, func(c *Config) { c.Sidecar, c.Mover = false, mover })
}

// Two equal documents of one name, written together, are both filed, though the first
// was to have the place that the second gets: its target was stored, and then the
// daemon ended.
func TestEqualDocumentTakesTheTargetOfAnother(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.identified(1, "a/scan.pdf", pdf("x"), "contract")
		r.admitted("b/scan.pdf", pdf("x")) // has the answer, too
		r.targeted(1, r.sorted, "contract/scan.pdf")
		r.targeted(2, r.sorted, "contract/scan.pdf")
		must(t, os.Mkdir(filepath.Join(r.sorted, "contract"), 0o755))
		must(t, os.Rename(filepath.Join(r.inbox, "b/scan.pdf"), filepath.Join(r.sorted, "contract/scan.pdf")))
		r.start()
		r.reaches("a/scan.pdf", store.Filed, time.Minute)
		r.reaches("b/scan.pdf", store.Filed, time.Minute)
		sameList(t, "sorted", r.names(), "contract/scan-2.pdf", "contract/scan.pdf")
	})
}

// A target that was stored under another sorted folder, which is away now, does
// not keep the others from being filed.
func TestTargetInAnotherSortedFolderThatIsAway(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.identified(1, "old.pdf", pdf("old"), "contract")
		r.targeted(1, r.sorted+".old", "contract/old.pdf")
		r.start()
		r.file("new.pdf", pdf("new"), "invoice")
		if d := r.doc("old.pdf"); d.State != store.Identified || d.Error == "" {
			t.Errorf("the old one: %s, %q", d.State, d.Error)
		}
		must(t, os.Mkdir(r.sorted+".old", 0o755))
		r.reaches("old.pdf", store.Filed, 5*time.Minute)
		sameList(t, "sorted", r.names(), "contract/old.pdf", "invoice/new.pdf")
	})
}
