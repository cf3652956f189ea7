package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// Old rows are removed when they are due, and their files stay.
func TestKeepHistory(t *testing.T) {
	const keep = 30 * time.Hour
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.file("first.pdf", pdf("first"), "invoice")
		time.Sleep(10 * time.Hour)
		r.file("second.pdf", pdf("second"), "invoice")
		time.Sleep(keep - 10*time.Hour - time.Hour)
		same(t, "documents before the first is due", r.kept(), 2)
		time.Sleep(2*time.Hour + time.Minute)
		same(t, "documents after an hour more at the most", r.kept(), 1)
		same(t, "what is left", r.doc("second.pdf").State, store.Filed)
		time.Sleep(10 * time.Hour)
		same(t, "documents in the end", r.kept(), 0)
		sameList(t, "files", r.names(), "invoice/first.pdf", "invoice/second.pdf")
		same(t, "times logged", r.log.count("old documents removed from the database"), 2)
	}, func(c *Config) { c.KeepHistory, c.Rescan = keep, time.Hour })
}

// Rows that became due while no daemon ran are removed at the start, in batches, while
// documents are filed.
func TestKeepHistoryAtTheStart(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		const many = 2*pruneBatch + 10
		for i := range many {
			a := store.Admission{Inbox: store.Folder{Path: r.inbox}, Source: fmt.Sprint(i), Blocked: "no"}
			d, err := r.store.Admit(context.Background(), a)
			must(t, err)
			must(t, r.store.Gone(context.Background(), d.ID, ""))
		}
		time.Sleep(2 * time.Hour)
		r.cfg.KeepHistory = 0
		r.start()
		time.Sleep(time.Hour)
		same(t, "documents that are kept for ever", r.kept(), many)
		must(t, r.halt())
		r.cfg.KeepHistory = time.Hour
		r.start()
		r.seen = many
		r.file("scan.pdf", pdf("meanwhile"), "invoice")
		same(t, "documents", r.kept(), 1)
	})
}

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
				r.allFiled(3, time.Minute)
				time.Sleep(c.runs)
				must(t, r.halt())
				time.Sleep(c.stop)
				r.start()
				r.pass(3*time.Minute + 10*time.Second)
				missing(t, r.inbox, "a/kept", "x/y")
				exists(t, r.inbox, "a/b/empty", "mine/empty", "full/other.pdf", "x")
			})
		})
	}
}

// A folder that gets and loses a document again is left for a whole while.
func TestFolderThatIsEmptiedAgainWaitsAgain(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		for i := range 3 {
			name := fmt.Sprint("a/b/", i, ".pdf")
			r.file(name, pdf(name), "invoice")
			r.pass(emptyFor - 10*time.Second)
			exists(t, r.inbox, "a/b")
		}
		r.pass(11 * time.Second)
		missing(t, r.inbox, "a/b")
	})
}

func TestEmptiedFoldersAreRemovedAfterAMinute(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.MkdirAll(filepath.Join(r.inbox, "top/always empty"), 0o755))
		r.start()
		r.drop("top/a/b/scan.pdf", pdf("1"), "invoice")
		r.drop("top/c/scan.pdf", pdf("2"), "invoice")
		r.reaches("top/a/b/scan.pdf", store.Filed, time.Minute)
		r.reaches("top/c/scan.pdf", store.Filed, time.Minute)
		r.pass(59 * time.Second)
		r.write("top/c/new.pdf", pdf("3"), "invoice")
		exists(t, r.inbox, "top/a/b", "top/c")
		r.pass(2 * time.Second)
		missing(t, r.inbox, "top/a/b")
		exists(t, r.inbox, "top/a", "top/c")
		r.pass(time.Minute)
		missing(t, r.inbox, "top/a")
		exists(t, r.inbox, "top/c", "top/always empty")
		r.files <- "top/c/new.pdf"
		r.reaches("top/c/new.pdf", store.Filed, time.Minute)
		r.pass(61 * time.Second)
		missing(t, r.inbox, "top/c")
		exists(t, r.inbox, "top/always empty")
	})
}

// Folders right in the inbox stay, and so does a mount point that is unmounted.
func TestFoldersOfPeopleStay(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.MkdirAll(filepath.Join(r.inbox, "anna/stick"), 0o755))
		stick := filepath.Join(r.inbox, "anna/stick")
		if err := syscall.Mount("none", stick, "tmpfs", 0, ""); err != nil {
			t.Logf("may not mount (%v): mount points are not tested", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(stick, syscall.MNT_DETACH) })
		r.start()
		r.file("anna/scan.pdf", pdf("1"), "invoice")
		r.file("anna/stick/scan.pdf", pdf("2"), "invoice")
		_ = syscall.Unmount(stick, syscall.MNT_DETACH)
		r.pass(3 * time.Minute)
		exists(t, r.inbox, "anna", "anna/stick")
	})
}

// Many folders emptied by one batch of moves are all removed.
func TestManyEmptiedFoldersAreRemoved(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		const n = 200
		for i := range n {
			r.drop(filepath.Join("in/f"+string(rune('a'+i%26))+string(rune('a'+i/26)), "x.bin"), "not a document", "")
		}
		r.until(time.Minute, "all moved aside", func() bool { return len(tree(t, r.inbox)) == 0 })
		r.pass(62 * time.Second)
		left, err := os.ReadDir(filepath.Join(r.inbox, "in"))
		must(t, err)
		same(t, "folders left", len(left), 0)
	})
}
