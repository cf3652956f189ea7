package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// stages are the states in which a file may change: how documents are kept in it, and
// how that ends.
var stages = []struct {
	state string
	keep  func(w *world) (release func())
}{
	{"waiting", func(w *world) func() {
		w.api.SetAccount(docutraytest.AccountQuotaUsed, noTime)
		return func() { w.api.SetAccount(docutraytest.AccountGood, noTime) }
	}},
	{"submitting", func(w *world) func() {
		_, release := w.slowUploads()
		return release
	}},
	{"pending", func(w *world) func() {
		w.jobsStay.Store(true)
		return func() { w.jobsStay.Store(false) }
	}},
	{"identified", func(w *world) func() {
		// No folder can be made there, and nothing may be put where it leads to.
		outside := filepath.Join(w.dir, "user")
		link := filepath.Join(w.sorted, "invoice")
		noErr(w.t, os.MkdirAll(w.sorted, 0o755))
		noErr(w.t, os.Symlink(outside, link))
		return func() { noErr(w.t, os.Remove(link)) }
	}},
}

// changes are what may happen to a file. Each returns the new content, or nil.
var changes = []struct {
	name string
	make func(file string, old, new []byte) (after []byte, err error)
}{
	{"rewritten", func(file string, _, new []byte) ([]byte, error) {
		return new, os.WriteFile(file, new, 0)
	}},
	{"replaced", func(file string, _, new []byte) ([]byte, error) {
		aside := filepath.Join(filepath.Dir(filepath.Dir(file)), "elsewhere.pdf")
		if err := os.WriteFile(aside, new, 0o640); err != nil {
			return nil, err
		}
		return new, os.Rename(aside, file)
	}},
	{"cut", func(file string, old, _ []byte) ([]byte, error) {
		return old[:len(old)/2], os.Truncate(file, int64(len(old)/2))
	}},
	{"grown", func(file string, old, _ []byte) ([]byte, error) {
		after := append(old[:len(old):len(old)], '\n')
		return after, os.WriteFile(file, after, 0)
	}},
	{"of the same size and time", sameSizeAndTime},
	{"deleted", func(file string, _, _ []byte) ([]byte, error) { return nil, os.Remove(file) }},
}

// sameSizeAndTime changes a byte and sets the time back.
func sameSizeAndTime(file string, old, _ []byte) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	after := append([]byte{}, old...)
	after[len(after)-10]-- // a byte of what is within
	if err := os.WriteFile(file, after, 0); err != nil {
		return nil, err
	}
	return after, os.Chtimes(file, time.Time{}, info.ModTime())
}

// TestChangedAtEachStage: whenever a file changes, its document is gone, and the new content
// is another document.
func TestChangedAtEachStage(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage.state, func(t *testing.T) {
			w := newWorld(t)
			w.requestsMayRepeat = true
			w.settings["DOCUSORT_WORKERS"] = fmt.Sprint(len(changes))
			release := stage.keep(w)
			old := map[string][]byte{}
			for _, c := range changes {
				old[c.name] = pdf(invoice, "old "+c.name)
				w.drop(c.name+".pdf", old[c.name])
			}
			d := w.start("run")
			w.waitState(stage.state, len(changes))
			left := 0
			for _, c := range changes {
				file := filepath.Join(w.inbox, c.name+".pdf")
				after, err := c.make(file, old[c.name], pdf(receipt, "new "+c.name))
				noErr(t, err)
				w.dropped[hashOf(old[c.name])] = []stamp{}
				if after == nil {
					continue
				}
				info, err := os.Stat(file)
				noErr(t, err)
				w.record(after, info)
				left++
			}
			release()
			w.waitFor("the new ones are filed", func(r *reportJSON) bool {
				return r.Totals["filed"] == left && r.unfinished() == 0
			})
			w.stop(d)
			r := w.check()
			r.checkTotals(t, totals{"gone": len(changes), "filed": left})
		})
	}
}
