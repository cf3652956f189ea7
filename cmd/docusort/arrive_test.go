package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSlowWriter: a document that is written with pauses longer than the settle
// time is submitted once, and whole.
func TestSlowWriter(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_INCOMPLETE_AFTER"] = "1m"
	d := w.start("run")
	w.waitRunning(d)
	content := pdf(invoice, "page after page")
	file := filepath.Join(w.inbox, "scan.pdf")
	for end := 0; end < len(content); end += 20 {
		// Scanners open the file again for each page, or keep it open.
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
		noErr(t, err)
		_, err = f.Write(content[end:min(end+20, len(content))])
		noErr(t, err)
		noErr(t, f.Close())
		time.Sleep(200 * time.Millisecond) // four times the settle time
	}
	info, err := os.Stat(file)
	if err == nil {
		w.record(content, info)
	} else {
		w.recordFiled(content)
	}
	w.finish(d)
	w.checkSubmissions(1)
}

// recordFiled takes a document into account that was filed before it could be.
func (w *world) recordFiled(content []byte) {
	w.t.Helper()
	w.waitAllDone()
	files := filesIn(w.t, w.sorted)
	if len(files) != 1 {
		w.t.Fatalf("there are %q", files)
	}
	info, err := os.Stat(files[0])
	noErr(w.t, err)
	w.record(content, info)
}

// TestOpenWriter: who has the file open for writing is waited for, although the
// file stands still and looks whole.
func TestOpenWriter(t *testing.T) {
	w := newWorld(t)
	d := w.start("run")
	w.waitRunning(d)
	file := filepath.Join(w.inbox, "scan.pdf")
	f, err := os.Create(file)
	noErr(t, err)
	_, err = f.Write(pdf(invoice, "first version"))
	noErr(t, err)
	w.drop("other.pdf", pdf(receipt, "other"))
	w.waitState("filed", 1)
	noErr(t, f.Truncate(0))
	content := pdf(invoice, "second version")
	_, err = f.WriteAt(content, 0)
	noErr(t, err)
	info, err := f.Stat()
	noErr(t, err)
	w.record(content, info)
	noErr(t, f.Close())
	w.finish(d)
	w.checkSubmissions(2)
}

// TestReplaced: a file that is replaced after it was submitted is another
// document; the answer to the old one moves nothing.
func TestReplaced(t *testing.T) {
	w := newWorld(t)
	w.jobsStay.Store(true)
	d := w.start("run")
	old := pdf(invoice, "old")
	w.drop("scan.pdf", old)
	w.waitState("pending", 1)
	delete(w.dropped, hashOf(old))
	noErr(t, os.Remove(filepath.Join(w.inbox, "scan.pdf")))
	w.drop("scan.pdf", pdf(receipt, "new"))
	w.waitFor("both are known", func(r *reportJSON) bool { return r.Totals["gone"] == 1 && r.Totals["pending"] == 1 })
	w.jobsStay.Store(false)
	w.waitAllDone()
	w.stop(d)
	w.dropped[hashOf(old)] = []stamp{} // was there once, and is not missed
	r := w.check()
	if r.Totals["filed"] != 1 || r.Totals["gone"] != 1 || r.Requests.Resubmissions != 0 {
		t.Errorf("%v, %+v", r.Totals, r.Requests)
	}
}

// TestReplacedWhileDown: the same between two runs.
func TestReplacedWhileDown(t *testing.T) {
	w := newWorld(t)
	w.jobsStay.Store(true)
	d := w.start("run")
	old := pdf(invoice, "old")
	w.drop("scan.pdf", old)
	w.drop("taken away.pdf", pdf(invoice, "taken away"))
	w.waitState("pending", 2)
	w.stop(d)
	for name, content := range map[string][]byte{"scan.pdf": old, "taken away.pdf": pdf(invoice, "taken away")} {
		noErr(t, os.Remove(filepath.Join(w.inbox, name)))
		w.dropped[hashOf(content)] = []stamp{}
	}
	w.drop("scan.pdf", pdf(receipt, "new"))
	w.jobsStay.Store(false)
	r := w.runToEnd()
	r.checkTotals(t, totals{"filed": 1, "gone": 2})
}

// TestFolderMovedIn: a folder that comes in whole brings no event for its files.
func TestFolderMovedIn(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_RESCAN"] = "1h" // only the event tells of it
	d := w.start("run")
	w.waitRunning(d)
	inbox, aside := w.inbox, filepath.Join(w.dir, "aside")
	w.inbox = aside
	for i := range 20 {
		w.drop(fmt.Sprintf("batch/%d/%d/scan.pdf", i%3, i), pdf(invoice, fmt.Sprint(i)))
	}
	w.inbox = inbox
	noErr(t, os.Rename(filepath.Join(aside, "batch"), filepath.Join(inbox, "batch")))
	w.waitState("filed", 20)
	w.stop(d)
	w.check()
}
