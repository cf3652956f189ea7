package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestDocumentIsFiledUnderItsType(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		begun := time.Now()
		content := pdf("one")
		r.drop("scan.pdf", content, "invoice")
		d := r.reaches("scan.pdf", store.Filed, time.Minute)
		if took := time.Since(begun); took > 4*time.Second {
			t.Errorf("seen %s after it was dropped, the job took 3s", took)
		}
		sameList(t, "sorted", r.names(), "invoice/scan.pdf")
		same(t, "content", tree(t, r.sorted)["invoice/scan.pdf"], content)
		same(t, "inbox", len(tree(t, r.inbox)), 0)
		same(t, "type", d.Type, "invoice")
		same(t, "attempts", d.Attempts, 1)
		same(t, "submissions", d.Submissions, 1)
		same(t, "resubmissions", d.Resubmissions, 0)
		same(t, "job", d.JobID, r.service.Uploads()[0].JobID)
		for _, m := range []string{"document admitted", "document submitted", "document identified", "document filed"} {
			same(t, m, r.log.count(m), 1)
		}
	})
}

func TestSameNameTwiceGetsASuffix(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		for i, folder := range []string{"a", "b", "c"} {
			r.drop(folder+"/scan.pdf", pdf(string(rune('0'+i))), "invoice")
		}
		for _, folder := range []string{"a", "b", "c"} {
			r.reaches(folder+"/scan.pdf", store.Filed, time.Minute)
		}
		sameList(t, "sorted", r.names(), "invoice/scan-2.pdf", "invoice/scan-3.pdf", "invoice/scan.pdf")
	})
}

func TestWhatIsThereAlreadyIsNotOverwritten(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.MkdirAll(filepath.Join(r.sorted, "invoice"), 0o755))
		must(t, os.WriteFile(filepath.Join(r.sorted, "invoice/scan.pdf"), []byte("mine"), 0o600))
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Filed, time.Minute)
		found := tree(t, r.sorted)
		same(t, "what was there", found["invoice/scan.pdf"], "mine")
		same(t, "the document", found["invoice/scan-2.pdf"], pdf("x"))
	})
}

func TestLowConfidenceGoesToReviewWithItsSidecar(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.write("scan.pdf", pdf("unsure"), "receipt")
		r.knows(pdf("unsure"), "receipt", 0.6)
		r.files <- "scan.pdf"
		d := r.reaches("scan.pdf", store.Review, time.Minute)
		sameList(t, "sorted", r.names(), "_review/receipt/scan.pdf")
		var s sidecar
		must(t, json.Unmarshal([]byte(tree(t, r.sorted)["_review/receipt/scan.pdf.json"]), &s))
		same(t, "type", s.Type, "receipt")
		same(t, "confidence", *s.Confidence, 0.6)
		same(t, "alternatives", strings.Join(strings.Fields(string(s.Alternatives)), ""),
			`[{"code":"receipt","confidence":0.6},{"code":"other","confidence":0.4}]`)
		same(t, "job", s.JobID, d.JobID)
		same(t, "hash", s.SHA256, hashOf(pdf("unsure")))
		same(t, "source", s.Source, "scan.pdf")
		if s.DiscoveredAt == nil || s.SubmittedAt == nil || s.IdentifiedAt == nil || s.IdentifiedAt.Before(*s.SubmittedAt) {
			t.Errorf("times: %v, %v, %v", s.DiscoveredAt, s.SubmittedAt, s.IdentifiedAt)
		}
		// A person may drop another of that name: the sidecars must not meet.
		must(t, os.Remove(filepath.Join(r.sorted, "_review/receipt/scan.pdf"))) // taken, and the sidecar left
		r.write("b/scan.pdf", pdf("unsure too"), "receipt")
		r.knows(pdf("unsure too"), "receipt", 0.5)
		r.files <- "b/scan.pdf"
		r.reaches("b/scan.pdf", store.Review, time.Minute)
		if _, ok := tree(t, r.sorted)["_review/receipt/scan-2.pdf.json"]; !ok {
			t.Error("the second sidecar is missing")
		}
	}, func(c *Config) { c.MinConfidence = 0.7 })
}

func TestSidecarBesideFiledDocumentsOnlyWhereWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.start()
			r.drop("scan.pdf", pdf("x"), "invoice")
			r.reaches("scan.pdf", store.Filed, time.Minute)
			_, there := tree(t, r.sorted)["invoice/scan.pdf.json"]
			same(t, "sidecar", there, wanted)
		}, func(c *Config) { c.Sidecar = wanted })
	}
}

func TestWhatCannotBeIdentifiedIsMovedAsideWithoutAnUpload(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("empty.pdf", "", "")
		r.drop("words.doc", "no document that the service takes", "")
		must(t, os.WriteFile(filepath.Join(r.inbox, "huge.pdf"), []byte("%PDF-1.4"), 0o640))
		must(t, os.Truncate(filepath.Join(r.inbox, "huge.pdf"), 100<<20+1)) // sparse
		r.files <- "huge.pdf"
		for name, reason := range map[string]string{
			"empty.pdf": "empty", "words.doc": "unsupported format", "huge.pdf": "larger than",
		} {
			d := r.reaches(name, store.Failed, time.Minute)
			if !strings.Contains(d.Error, reason) {
				t.Errorf("%s: reason %q", name, d.Error)
			}
			data, err := os.ReadFile(filepath.Join(r.sorted, "_failed", name+".error.json"))
			must(t, err)
			var s sidecar
			must(t, json.Unmarshal(data, &s))
			same(t, name, s.Reason, d.Error)
			if _, err := os.Stat(filepath.Join(r.sorted, "_failed", name)); err != nil {
				t.Error(err)
			}
		}
		same(t, "requests", r.service.Stats().Requests, 0)
		same(t, "inbox", len(tree(t, r.inbox)), 0)
	})
}

func TestLargestFileIsStillTaken(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		must(t, os.WriteFile(filepath.Join(r.inbox, "large.pdf"), []byte("%PDF-1.4"), 0o640))
		must(t, os.Truncate(filepath.Join(r.inbox, "large.pdf"), 100<<20))
		r.files <- "large.pdf"
		r.reaches("large.pdf", store.Filed, time.Minute)
		same(t, "size", r.service.Uploads()[0].Size, 100<<20)
	})
}

func TestExtensionsAreKeptAndFormatsAreByContent(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		names := []string{"photo.jpg", "noextension", "report.PDF", "x.txt"}
		for _, n := range names {
			r.drop(n, pdf(n), "invoice")
		}
		for _, n := range names {
			r.reaches(n, store.Filed, time.Minute)
		}
		sameList(t, "sorted", r.names(), "invoice/noextension", "invoice/photo.jpg", "invoice/report.PDF", "invoice/x.txt")
		for _, u := range r.service.Uploads() {
			same(t, u.Filename, u.ContentType, "application/pdf")
		}
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
			r.drop(name, pdf(name), kind)
		}
		for name := range names {
			r.reaches(name, store.Filed, time.Minute)
		}
		sameList(t, "sorted", r.names(), "escape/"+strings.Repeat("n", 255), "failed/-rf \"quoted\";.pdf",
			"invoice/latin\xe9.pdf", "invoice/two\nlines.pdf", "unknown/Ω.pdf")
	}, func(c *Config) { c.Sidecar = false })
}

func TestEmptiedFoldersAreRemovedAfterAMinute(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.MkdirAll(filepath.Join(r.inbox, "always empty"), 0o755))
		r.start()
		r.drop("a/b/scan.pdf", pdf("1"), "invoice")
		r.drop("c/scan.pdf", pdf("2"), "invoice")
		r.reaches("a/b/scan.pdf", store.Filed, time.Minute)
		r.reaches("c/scan.pdf", store.Filed, time.Minute)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		r.write("c/new.pdf", pdf("3"), "invoice")
		exists(t, r.inbox, "a/b", "a", "c")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		missing(t, r.inbox, "a/b")
		exists(t, r.inbox, "a", "c")
		time.Sleep(time.Minute)
		synctest.Wait()
		missing(t, r.inbox, "a")
		exists(t, r.inbox, "c", "always empty")
		r.files <- "c/new.pdf"
		r.reaches("c/new.pdf", store.Filed, time.Minute)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		missing(t, r.inbox, "c")
		exists(t, r.inbox, "always empty", ".")
	})
}

// Many folders emptied by one batch of moves are all removed.
func TestManyEmptiedFoldersAreRemoved(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		const n = 200
		for i := range n {
			r.drop(filepath.Join("f"+string(rune('a'+i%26))+string(rune('a'+i/26)), "x.bin"), "not a document", "")
		}
		r.until(time.Minute, "all moved aside", func() bool { return len(tree(t, r.inbox)) == 0 })
		time.Sleep(62 * time.Second)
		synctest.Wait()
		left, err := os.ReadDir(r.inbox)
		must(t, err)
		same(t, "folders left", len(left), 0)
	})
}

func exists(t testing.TB, root string, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := os.Lstat(filepath.Join(root, n)); err != nil {
			t.Errorf("%q is missing: %v", n, err)
		}
	}
}

func missing(t testing.TB, root string, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := os.Lstat(filepath.Join(root, n)); err == nil {
			t.Errorf("%q is there", n)
		}
	}
}
