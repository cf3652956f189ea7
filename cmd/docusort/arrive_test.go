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
	w.waitAllDone()
	files := append(filesIn(t, w.inbox), filesIn(t, w.sorted)...)
	info, err := os.Stat(files[0])
	noErr(t, err)
	w.record(content, info)
	w.finish(d)
	w.checkSubmissions(1)
}

// TestOpenWriter: a file that somebody has open for writing is waited for, although it
// stands still and looks whole.
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

// TestChangedWhileDown: a document that is replaced or deleted between two runs is gone;
// the answer to it moves nothing.
func TestChangedWhileDown(t *testing.T) {
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

// TestFolderMovedIn: a folder that is moved in brings one event, and none for its files.
func TestFolderMovedIn(t *testing.T) {
	w := newWorld(t)
	w.rescanRarely()
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
