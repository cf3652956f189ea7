package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHardLinks: two names of one file are two documents with one answer, and a
// name outside of the inbox stays what it is.
func TestHardLinks(t *testing.T) {
	for _, place := range movings {
		t.Run(place.name, func(t *testing.T) {
			w := newWorld(t)
			if place.far {
				w.sortedElsewhere()
			}
			content := pdf(invoice, "one of several names")
			w.drop("scan.pdf", content)
			file := filepath.Join(w.inbox, "scan.pdf")
			info, err := os.Stat(file)
			noErr(t, err)
			for i := range 4 {
				name := fmt.Sprintf("%d/scan.pdf", i)
				noErr(t, os.Mkdir(filepath.Join(w.inbox, fmt.Sprint(i)), 0o755))
				noErr(t, os.Link(file, filepath.Join(w.inbox, name)))
				w.record(content, info)
			}
			outside := filepath.Join(w.dir, "outside.pdf")
			noErr(t, os.Link(file, outside))
			r := w.runToEnd()
			r.checkTotals(t, totals{"filed": 5})
			w.checkSubmissions(1)
			if got, err := os.ReadFile(outside); err != nil || string(got) != string(content) {
				t.Errorf("the name outside: %q, %v", got, err)
			}
		})
	}
}

// obstacles are things that may stand where a document is to go. Each returns a
// function that says what became of it.
var obstacles = map[string]func(w *world, target, source string) (intact func() bool){
	"file":          obstacleFile,
	"folder":        func(_ *world, target, _ string) func() bool { return obstacle(target, os.Mkdir(target, 0o755)) },
	"FIFO":          func(_ *world, target, _ string) func() bool { return obstacle(target, syscall.Mkfifo(target, 0o644)) },
	"dangling link": func(w *world, target, _ string) func() bool { return obstacleLink(w, target, "not there.pdf") },
	"link outside":  func(w *world, target, _ string) func() bool { return obstacleLink(w, target, "mine.pdf") },
	"link to itself": func(_ *world, target, source string) func() bool {
		return obstacle(target, os.Symlink(source, target))
	},
}

// obstacle returns a function that reports whether the file is still the same.
func obstacle(target string, err error) func() bool {
	before, err2 := os.Lstat(target)
	return func() bool {
		now, err3 := os.Lstat(target)
		return err == nil && err2 == nil && err3 == nil && os.SameFile(before, now) && before.Mode() == now.Mode()
	}
}

func obstacleFile(_ *world, target, _ string) func() bool {
	there := obstacle(target, os.WriteFile(target, []byte("mine"), 0o644))
	return func() bool {
		b, err := os.ReadFile(target)
		return err == nil && string(b) == "mine" && there()
	}
}

// obstacleLink leads to a place outside, which nobody writes to.
func obstacleLink(w *world, target, name string) func() bool {
	outside := filepath.Join(w.dir, "not ours")
	file := filepath.Join(outside, name)
	_ = os.MkdirAll(outside, 0o755)
	if name == "mine.pdf" {
		_ = os.WriteFile(file, []byte("mine"), 0o644)
	}
	there := obstacle(target, os.Symlink(file, target))
	return func() bool {
		b, _ := os.ReadFile(file)
		return (string(b) == "mine") == (name == "mine.pdf") && len(b) <= 4 && there()
	}
}

// TestTargetTaken: whatever stands at a target by the name of a document, or of
// the file beside it, stays, and the document gets another name.
func TestTargetTaken(t *testing.T) {
	for _, place := range movings {
		t.Run(place.name, func(t *testing.T) {
			w := newWorld(t)
			if place.far {
				w.sortedElsewhere()
			}
			w.settings["DOCUSORT_SIDECAR"] = "true"
			folder := filepath.Join(w.sorted, "invoice")
			noErr(t, os.MkdirAll(folder, 0o755))
			checks := map[string]func() bool{}
			for kind, put := range obstacles {
				for _, suffix := range []string{"", ".json"} {
					source := kind + strings.TrimPrefix(suffix, ".") + ".pdf"
					w.drop(source, pdf(invoice, source))
					target := filepath.Join(folder, source+suffix)
					checks[target] = put(w, target, filepath.Join(w.inbox, source))
				}
			}
			d := w.start("run")
			w.waitState("filed", len(checks))
			w.stop(d)
			for target, intact := range checks {
				if !intact() {
					t.Errorf("%q is not what it was", target)
				}
				noErr(t, os.Remove(target)) // nobody reported it
			}
			r := w.check()
			for _, d := range r.Documents {
				if want := strings.TrimSuffix(d.Source, ".pdf") + "-2.pdf"; filepath.Base(*d.Path) != want {
					t.Errorf("%q is at %q", d.Source, *d.Path)
				}
			}
		})
	}
}

// TestTargetIsTheSource: a user has linked a document to where it will go; it is
// moved there or beside, and stays one that was not lost.
func TestTargetIsTheSource(t *testing.T) {
	w := newWorld(t)
	content := pdf(invoice, "one")
	w.drop("scan.pdf", content)
	source, target := filepath.Join(w.inbox, "scan.pdf"), filepath.Join(w.sorted, "invoice", "scan.pdf")
	noErr(t, os.MkdirAll(filepath.Dir(target), 0o755))
	noErr(t, os.Link(source, target))
	d := w.start("run")
	r := w.waitState("filed", 1)
	w.stop(d)
	if len(filesIn(t, w.inbox)) != 0 {
		t.Error("it is still in the inbox")
	}
	if *r.Documents[0].Path != target {
		noErr(t, os.Remove(target))
	}
	w.check()
}
