package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// Run waits for copies also where an error ends it.
func TestErrorWaitsForCopies(t *testing.T) {
	far := t.TempDir()
	var copying atomic.Bool
	mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
		if op == "write" && !done {
			copying.Store(true)
			time.Sleep(10 * time.Second)
			copying.Store(false)
		}
		return nil
	}})
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.until(time.Minute, "a copy", copying.Load)
		r.disk.set("read", sqlite3.ErrConstraint)
		r.p.fileNow.wake()
		contains(t, "Run", fmt.Sprint(r.wait()), "file")
		same(t, "copying", copying.Load(), false)
	}, func(c *Config) { c.Mover, c.Sorted = mover, far })
}

// A copy to another filesystem runs beside the moves of others, which may have its
// name, but not the place that it is going to have.
func TestDocumentsOfOneNameAreCopiedAtOnce(t *testing.T) {
	far := t.TempDir()
	var release, writing chan struct{}
	var once sync.Once
	mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
		if op == "write" && !done {
			first := false
			once.Do(func() { first = true })
			if first {
				close(writing)
				<-release
			}
		}
		return nil
	}})
	bubble(t, docutraytest.Options{}, func(r *rig) {
		release, writing = make(chan struct{}), make(chan struct{})
		r.start()
		r.drop("a/scan.pdf", pdf("one"), "invoice")
		<-writing
		d := r.file("b/scan.pdf", pdf("two"), "invoice")
		same(t, "place of the second", d.Target, "invoice/scan-2.pdf")
		same(t, "state of the first", r.doc("a/scan.pdf").State, store.Identified)
		close(release)
		r.reaches("a/scan.pdf", store.Filed, time.Minute)
		for name, content := range map[string]string{"scan.pdf": "one", "scan-2.pdf": "two"} {
			contains(t, name, tree(t, far)["invoice/"+name], content)
		}
	}, func(c *Config) { c.Mover, c.Sorted = mover, far })
}

// What is over the service's limit may have any size: it is never copied, neither to
// _failed nor back, stays whole where it is, and keeps nobody waiting.
func TestWhatIsTooLargeIsNotCopied(t *testing.T) {
	far := t.TempDir()
	var copied atomic.Int64
	mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
		if op == "write" && done {
			copied.Add(1)
		}
		return nil
	}})
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.dropSparse("film.mp4", 100<<20+1)
		r.until(time.Minute, "two tries", func() bool { return r.doc("film.mp4").Failures > 1 })
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.reaches("scan.pdf", store.Filed, time.Minute)
		d := r.doc("film.mp4")
		contains(t, "reason", d.Error, "larger than")
		same(t, "state", d.State, store.Waiting)
		exists(t, r.inbox, "film.mp4")
		same(t, "files in sorted", len(tree(t, far)), 1)
		same(t, "copies", copied.Load(), 1)
		must(t, os.Remove(filepath.Join(r.inbox, "film.mp4")))
		r.reaches("film.mp4", store.Gone, 2*time.Minute)
	}, func(c *Config) { c.Mover, c.Sorted = mover, far })
}

// Copies that meet a full disk at about the same time are one failure: the next try follows
// after the first pause, not after that of the third.
func TestCopiesThatFailTogetherCountOnce(t *testing.T) {
	far := t.TempDir()
	var release chan struct{}
	var writing atomic.Int64
	var full atomic.Bool
	mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
		if op != "write" || done || !full.Load() {
			return nil
		}
		n := writing.Add(1)
		<-release
		time.Sleep(time.Duration(n) * time.Millisecond) // the filer sees each alone
		return syscall.ENOSPC
	}})
	bubble(t, docutraytest.Options{}, func(r *rig) {
		release = make(chan struct{})
		full.Store(true)
		r.start()
		r.dropNumbered(copiers)
		r.until(time.Minute, "all copies at once", func() bool { return writing.Load() == copiers })
		full.Store(false)
		close(release)
		r.until(2*firstPause, "all filed", func() bool { return r.counts()[store.Filed] == copiers })
	}, func(c *Config) { c.Mover, c.Sorted = mover, far })
}
