package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// inReview has documents of these names and contents in review.
func (r *rig) inReview(contents map[string]string) {
	r.t.Helper()
	r.start()
	for name, content := range contents {
		r.dropUnsure(name, content, "receipt", 0.5)
		r.reaches(name, store.Review, 5*time.Minute)
	}
}

func uncertain(c *Config) { c.MinConfidence = 0.7 }

// mv moves a file beneath sorted.
func (r *rig) mv(from, to string) {
	r.t.Helper()
	must(r.t, os.MkdirAll(filepath.Dir(filepath.Join(r.sorted, to)), 0o755))
	must(r.t, os.Rename(filepath.Join(r.sorted, from), filepath.Join(r.sorted, to)))
}

// look lets the pipeline look at once.
func (r *rig) look() {
	r.p.RetryNow(bg)
	synctest.Wait()
}

// A move in progress is not concluded from: a file may be at neither place for a while.
func TestMoveByHandInProgress(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"scan.pdf": pdf("x")})
		r.mv("_review/receipt/scan.pdf", "../elsewhere")
		r.look()
		r.look()
		same(t, "while it is away", r.doc("scan.pdf").State, store.Review)
		r.mv("../elsewhere", "contract/scan.pdf")
		r.look()
		same(t, "when it has just come", r.doc("scan.pdf").State, store.Review)
		d := r.reaches("scan.pdf", store.Filed, 10*time.Second)
		same(t, "type", d.Type, "contract")
		same(t, "decided by", d.DecidedBy(), store.ByPerson)
		if names := r.names(); len(tree(t, r.sorted)) != 1 || names[0] != "contract/scan.pdf" {
			t.Errorf("sorted has %q", tree(t, r.sorted))
		}
	}, uncertain)
}

// Into a folder of an earlier pattern, a document is moved for the type that it is named after.
func TestMoveByHandIntoAnEarlierFolder(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("a"), "b.pdf": pdf("b")})
		r.mv("_review/receipt/a.pdf", "invoice/2020/a.pdf")
		r.mv("_review/receipt/b.pdf", "elsewhere/2020/b.pdf")
		same(t, "of a type's folder", r.reaches("a.pdf", store.Filed, 5*time.Minute).Type, "invoice")
		same(t, "of no type's folder", r.reaches("b.pdf", store.Filed, 5*time.Minute).Type, "2020")
	}, uncertain, func(c *Config) { c.Folders, _ = filing.ParseFolders("{year}/{type}") })
}

// Of equal documents each file is one's: what is filed already is not taken for what was
// removed, and one file not for two documents.
func TestEqualDocumentsByHand(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("x"), "b.pdf": pdf("x"), "c.pdf": pdf("x")})
		r.mv("_review/receipt/a.pdf", "contract/scan.pdf")
		r.reaches("a.pdf", store.Filed, 5*time.Minute)
		r.mv("_review/receipt/b.pdf", "../b")
		r.mv("_review/receipt/c.pdf", "contract/c.pdf")
		r.reaches("b.pdf", store.Gone, 5*time.Minute)
		r.reaches("c.pdf", store.Filed, 5*time.Minute)
	}, uncertain)
}

// What is moved without being decided about is found again; what is where nobody files
// anything is gone.
func TestMovesByHandToNoType(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("a"), "b.pdf": pdf("b"), "c.pdf": pdf("c"), "d.pdf": pdf("d")})
		r.mv("_review/receipt/a.pdf", "_review/later/a.pdf")
		r.mv("_review/receipt/b.pdf", "b.pdf")
		r.mv("_review/receipt/c.pdf", ".recycle/c.pdf")
		r.mv("_review/receipt/d.pdf", "#recycle/d.pdf")
		r.reaches("c.pdf", store.Gone, 5*time.Minute)
		r.reaches("d.pdf", store.Gone, 5*time.Minute)
		same(t, "moved within _review", r.doc("a.pdf").Target, "_review/later/a.pdf")
		same(t, "moved to the top", r.doc("b.pdf").Target, "b.pdf")
		same(t, "its state", r.doc("b.pdf").State, store.Review)
		sidecars := 0
		for name := range tree(t, r.sorted) {
			if filepath.Ext(name) == ".json" {
				sidecars++
			}
		}
		same(t, "sidecars", sidecars, 2)
	}, uncertain, func(c *Config) { c.Ignore = []string{"#Recycle"} })
}

// What staff change, in place or with a program that saves a new file, and then move, is
// filed as it is then.
func TestChangedAndMovedByHand(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("a"), "b.pdf": pdf("b")})
		r.look()
		review := filepath.Join(r.sorted, "_review/receipt")
		must(t, os.WriteFile(filepath.Join(review, "a.pdf"), []byte(pdf("a, turned")), 0o640))
		r.mv("_review/receipt/a.pdf", "contract/renamed.pdf")
		must(t, os.WriteFile(filepath.Join(review, ".b"), []byte(pdf("b, turned")), 0o640))
		r.mv("_review/receipt/.b", "_review/receipt/b.pdf")
		r.pass(2 * time.Minute) // it is seen there
		r.mv("_review/receipt/b.pdf", "contract/b.pdf")
		for name, content := range map[string]string{"a.pdf": pdf("a, turned"), "b.pdf": pdf("b, turned")} {
			var d store.Document
			r.until(5*time.Minute, name+" is filed", func() bool {
				all := r.docs()
				i := slices.IndexFunc(all, func(d store.Document) bool { return d.Source == name && d.State == store.Filed })
				d = all[max(i, 0)]
				return i >= 0
			})
			same(t, "type", d.Type, "contract")
			same(t, "decided by", d.DecidedBy(), store.ByPerson)
			same(t, "hash", fmt.Sprintf("%x", d.SHA256), hashOf(content))
			same(t, "content", tree(t, r.sorted)[d.Target], content)
		}
		sameList(t, "sorted", r.names(), "contract/b.pdf", "contract/renamed.pdf")
		before := r.service.Stats().Submissions
		r.drop("copy.pdf", pdf("a"), "receipt")
		r.until(time.Minute, "a copy of what it was is in review", func() bool { return r.counts()[store.Review] == 1 })
		same(t, "submissions", r.service.Stats().Submissions, before)
	}, uncertain)
}

// A file that has the name of a document is not taken for it.
func TestNamesakeOfWhatWasTakenAway(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("a"), "b.pdf": pdf("b")})
		must(t, os.MkdirAll(filepath.Join(r.sorted, "contract"), 0o755))
		for _, name := range []string{"a.pdf", "b.pdf"} {
			must(t, os.Remove(filepath.Join(r.sorted, "_review/receipt", name)))
			must(t, os.WriteFile(filepath.Join(r.sorted, "contract", name), []byte(pdf("another")), 0o640)) // perhaps with its inode
			d := r.reaches(name, store.Gone, 5*time.Minute)
			same(t, "reason", d.Error, "taken out of _review by hand; a file of its name lies in contract, with other content")
		}
	}, uncertain)
}

// A failed document that lies in the inbox is not gone: it is admitted some time.
func TestMovedIntoTheInboxIsNotGone(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("notes.txt", "notes", "")
		d := r.reaches("notes.txt", store.Failed, time.Minute)
		must(t, os.Rename(filepath.Join(r.sorted, d.Target), filepath.Join(r.inbox, "again.txt")))
		r.pass(10 * time.Minute)
		same(t, "before it is admitted", r.doc("notes.txt").State, store.Failed)
		r.files <- "again.txt"
		r.pass(time.Second)
		d, err := r.store.Document(bg, d.ID)
		must(t, err)
		same(t, "its place in the inbox", d.Source, "again.txt")
	})
}

// A retry that was killed, or could not move the file, prevents no later decision.
func TestDecisionAfterAPutBackThatWasInterrupted(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
			r.drop(name, name, "")
			d := r.reaches(name, store.Failed, time.Minute)
			must(t, r.store.PuttingBack(bg, d.ID, name))
		}
		must(t, os.Remove(filepath.Join(r.sorted, "_failed/a.txt")))
		r.mv("_failed/b.txt", "contract/b.txt")
		_, err := r.p.refiler().Refile(bg, r.doc("c.txt"), "invoice")
		must(t, err)
		r.reaches("a.txt", store.Gone, 5*time.Minute)
		same(t, "type of what was moved by hand", r.reaches("b.txt", store.Filed, 5*time.Minute).Type, "contract")
		d := r.reaches("c.txt", store.Filed, time.Minute)
		same(t, "place of what was refiled", d.Target+d.PutBack, "invoice/c.txt")
	})
}

// A document of which nothing can be concluded keeps no other from being followed.
func TestFollowedBesideAnUnclearOne(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("a"), "b.pdf": pdf("b"), "c.pdf": pdf("c")})
		must(t, os.Rename(filepath.Join(r.sorted, "_review/receipt/a.pdf"), filepath.Join(r.inbox, "a.pdf"))) // is not admitted
		r.pass(3 * time.Hour)
		for _, name := range []string{"b.pdf", "c.pdf"} {
			r.mv("_review/receipt/"+name, "contract/"+name)
			r.reaches(name, store.Filed, 3*time.Minute)
		}
		same(t, "state of the unclear one", r.doc("a.pdf").State, store.Review)
		must(t, os.Remove(filepath.Join(r.inbox, "a.pdf")))
		r.reaches("a.pdf", store.Gone, 2*time.Hour)
	}, uncertain)
}

// Who has moved all documents out of _review may remove it. Where it is a link to what is not
// there, nothing is known: it may not be mounted.
func TestReviewFolderAway(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"a.pdf": pdf("a"), "b.pdf": pdf("b")})
		r.look()
		review := filepath.Join(r.sorted, "_review")
		r.mv("_review", "../away")
		must(t, os.Symlink("../missing", review))
		r.pass(2 * time.Hour)
		same(t, "while it is away", r.doc("a.pdf").State, store.Review)
		must(t, os.Remove(review))
		r.mv("../away/receipt/b.pdf", "contract/b.pdf")
		r.reaches("b.pdf", store.Filed, 5*time.Minute)
		r.reaches("a.pdf", store.Gone, 5*time.Minute)
	}, uncertain)
}

// Documents whose sorted folder was copied to another disk, or restored, are followed there.
func TestFollowedAfterACopy(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.inReview(map[string]string{"scan.pdf": pdf("x")})
		must(t, r.store.AsideIn(bg, []int64{r.doc("scan.pdf").ID}, store.Folder{Path: r.sorted, Device: 1, Inode: 1}))
		r.look()
		r.mv("_review/receipt/scan.pdf", "contract/scan.pdf")
		r.reaches("scan.pdf", store.Filed, 5*time.Minute)
	}, uncertain)
}

// aside is a follower of a pipeline that does not run, in real time, with documents in
// review and failed ones, and many others beneath sorted.
func aside(t testing.TB, many int) *follower {
	base := fastDir(t)
	p := &Pipeline{Config: Config{Sorted: filepath.Join(base, "sorted"), Inbox: filepath.Join(base, "inbox"), Settle: time.Millisecond}}
	for _, dir := range []string{"_review/receipt", "_review/invoice", "_failed", "invoice", "../inbox"} {
		must(t, os.MkdirAll(filepath.Join(p.Sorted, dir), 0o755))
	}
	for i := range many {
		must(t, os.WriteFile(filepath.Join(p.Sorted, fmt.Sprintf("invoice/%d.pdf", i)), nil, 0o644))
	}
	long := time.Now().Add(-time.Hour)
	for _, dir := range []string{"_review/receipt", "_review/invoice", "_review", "_failed"} {
		must(t, os.Chtimes(filepath.Join(p.Sorted, dir), long, long))
	}
	return &follower{p: p}
}

// While nothing left _review and _failed, a rescan asks the database nothing, and looks at
// nothing but their times.
func TestNothingLeft(t *testing.T) {
	f := aside(t, 0)
	now := time.Now()
	var same bool
	if f.seen, same = f.folders(now); same || len(f.seen) != 4 {
		t.Fatalf("at first it sees %v, the same: %v", f.seen, same)
	}
	f.all = now.Add(time.Hour)
	if again, err := f.follow(bg); err != nil || !again.IsZero() { // without a database
		t.Errorf("it looks again at %v, %v", again, err)
	}
	must(t, os.WriteFile(filepath.Join(f.p.Sorted, "_review/receipt/x"), nil, 0o644))
	if _, same := f.folders(now); same {
		t.Error("a folder that changed is the same")
	}
}

// BenchmarkNothingLeft is what a rescan costs then, with 100,000 files beneath sorted.
func BenchmarkNothingLeft(b *testing.B) {
	f := aside(b, 100_000)
	f.seen, _ = f.folders(time.Now())
	f.all = time.Now().Add(time.Hour)
	for b.Loop() {
		_, err := f.follow(bg)
		must(b, err)
	}
}

// BenchmarkDecisions is what the question costs that each round of the filer asks.
func BenchmarkDecisions(b *testing.B) {
	s, err := store.Open(bg, store.Config{Path: filepath.Join(fastDir(b), "docusort.db")})
	must(b, err)
	defer s.Close()
	for b.Loop() {
		_, err := s.Decisions(bg)
		must(b, err)
	}
}

// BenchmarkSearch is what it costs to look for a document among 100,000 files.
func BenchmarkSearch(b *testing.B) {
	f := aside(b, 100_000)
	for b.Loop() {
		f.search(bg, []store.Document{{ID: 1, Target: "_review/receipt/scan.pdf", Identity: store.Identity{Size: 1}, SHA256: make([]byte, 32)}})
	}
}
