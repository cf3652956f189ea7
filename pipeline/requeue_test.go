package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// struck stands for a kill of the process.
type struck struct{}

// struckAt does something that is killed when it counts for the n-th time, and reports
// whether it counted as often.
func struckAt(n int, do func(count func())) (ended bool) {
	defer func() {
		if cause := recover(); cause != nil {
			if _, ok := cause.(struck); !ok {
				panic(cause)
			}
			ended = true
		}
	}()
	do(func() {
		if n--; n == 0 {
			panic(struck{})
		}
	})
	return false
}

// putBackUntil puts a document back, is killed at the n-th disk operation or step, and
// reports whether there were as many.
func (r *rig) putBackUntil(id int64, n int) (ended bool) {
	r.t.Helper()
	doc, err := r.store.Document(context.Background(), id)
	must(r.t, err)
	return struckAt(n, func(count func()) {
		_, _, err := Requeuer{
			Store: r.store, Inbox: r.inbox, OnStep: func(Step) { count() },
			Mover: filing.NewMover(filing.Options{Fault: func(string, bool) error { count(); return nil }}),
		}.PutBack(context.Background(), doc)
		must(r.t, err)
	})
}

// runOver runs a pipeline until the inbox is empty.
func (r *rig) runOver() {
	r.t.Helper()
	r.start()
	r.until(10*time.Minute, "the inbox is empty", func() bool {
		left := 0
		for name := range tree(r.t, r.inbox) {
			if !filing.IsTemporary(filepath.Base(name)) {
				r.files <- name
				left++
			}
		}
		return left == 0
	})
	must(r.t, r.halt())
}

// Wherever a put-back is interrupted, the daemon or the next try finishes it: the file is
// in one place, its document has one row, and is tried again.
func TestPutBackThatIsInterruptedAnywhere(t *testing.T) {
	each(t, []bool{false, true}, func(t *testing.T, far bool) {
		each(t, []string{"retry", "daemon"}, func(t *testing.T, next string) {
			deaths := 0
			for n := 1; ; n++ {
				ended := false
				elsewhere := t.TempDir()
				bubble(t, docutraytest.Options{}, func(r *rig) { ended = r.putBackEnded(n, next, far, elsewhere) })
				if !ended {
					break
				}
				deaths = n
			}
			between(t, "places to end at", deaths, len(PutBackSteps)+4, 1000)
		})
	})
}

func (r *rig) putBackEnded(n int, next string, far bool, elsewhere string) bool {
	t := r.t
	if far {
		r.sorted = filepath.Join(elsewhere, "sorted")
		r.cfg.Sorted = r.sorted
		must(t, os.Mkdir(r.sorted, 0o755))
	}
	content := "nothing but text, so that it fails"
	r.write("a/notes.txt", content, "")
	r.runOver()
	before := r.doc("a/notes.txt")
	same(t, "before", before.State, store.Failed)
	ended := r.putBackUntil(before.ID, n)
	found := fmt.Sprint(tree(t, r.inbox), tree(t, r.sorted))
	if !strings.Contains(found, content) {
		t.Fatalf("interrupted at %d it is nowhere whole: %s", n, found)
	}
	if next == "daemon" {
		r.runOver()
	}
	if d, _ := r.store.Document(context.Background(), before.ID); d.State == store.Failed {
		// Before the move there is nothing that the daemon could see.
		if lies := tree(t, r.sorted)["_failed/notes.txt"]; next == "daemon" && lies != content {
			t.Errorf("interrupted at %d the daemon left %q", n, found)
		}
		if r.putBackUntil(before.ID, -1); next == "retry" {
			same(t, "waits", r.docs()[0].State, store.Waiting)
			sameList(t, fmt.Sprint("sorted, interrupted at ", n), r.names())
		}
	}
	r.runOver()
	same(t, fmt.Sprint("documents, interrupted at ", n), len(r.docs()), 1)
	same(t, "document", r.docs()[0].ID, before.ID)
	same(t, "state", r.docs()[0].State, store.Failed)
	same(t, "place to go back to", r.docs()[0].PutBack, "")
	same(t, "inbox", len(tree(t, r.inbox)), 0)
	left := tree(t, r.sorted)
	same(t, fmt.Sprint("sorted, interrupted at ", n), len(left), 2)
	same(t, "content", left["_failed/notes.txt"], content)
	return ended
}

// A file that took the place of a failed document, however large, is neither read nor
// copied.
func TestPutBackOfAHugeFile(t *testing.T) {
	far := t.TempDir()
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("notes.txt", "no document", "invoice")
		doc := r.reaches("notes.txt", store.Failed, time.Minute)
		must(t, r.halt())
		must(t, os.Truncate(filepath.Join(r.sorted, doc.Target), 8<<40)) // reading it would take hours
		retry := Requeuer{Store: r.store, Inbox: far, Mover: filing.NewMover(filing.Options{})}
		if _, _, err := retry.PutBack(bg, doc); !errors.Is(err, errNotCopied) {
			t.Errorf("to another filesystem: %v", err)
		}
		exists(t, r.sorted, doc.Target)
		retry.Inbox = r.inbox
		_, changed, err := retry.PutBack(bg, doc)
		must(t, err)
		same(t, "changed", changed, true)
		exists(t, r.inbox, "notes.txt")
	})
}
