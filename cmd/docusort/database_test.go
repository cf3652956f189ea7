package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"docusort/pipeline/docutray/docutraytest"
)

// database returns the path of the record, with an ending.
func (w *world) database(suffix string) string { return filepath.Join(w.home, "docusort.db"+suffix) }

// readDatabase returns the content of the record and all that stands beside it.
func (w *world) readDatabase() map[string][]byte {
	w.t.Helper()
	files, err := filepath.Glob(w.database("*"))
	noErr(w.t, err)
	all := map[string][]byte{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		noErr(w.t, err)
		all[filepath.Base(file)] = content
	}
	return all
}

// killWithPending leaves a record whose newest changes are in the -wal file: jobs
// that are under way.
func (w *world) killWithPending() {
	w.t.Helper()
	w.jobsStay.Store(true)
	w.dropInvoices(5)
	c := w.start("run")
	w.waitState("pending", 5)
	w.kill(c)
	w.jobsStay.Store(false)
}

// runSamples leaves a record that was closed in good order.
func (w *world) runSamples() {
	w.t.Helper()
	w.dropSamples()
	w.runToEnd()
}

// TestDatabaseRefused: whatever was done to the record, the real program ends
// with the code that systemd does not restart on, says which file it is about and
// what to do, asks the service for nothing and changes no byte.
func TestDatabaseRefused(t *testing.T) {
	write := func(w *world, suffix string, content []byte) {
		noErr(w.t, os.WriteFile(w.database(suffix), content, 0o644))
	}
	cases := []struct {
		name   string
		killed bool // the daemon before was killed, or else stopped
		damage func(w *world)
		file   string // that is named, by its ending
		says   []string
	}{
		{"a damaged page", false, func(w *world) {
			content := w.readDatabase()["docusort.db"]
			for page := 4096; page < len(content); page += 4096 {
				copy(content[page:], "no page of a database, none at all")
			}
			write(w, "", content)
		}, "", []string{"malformed", "restore it from a backup"}},
		{"cut short", false, func(w *world) { noErr(w.t, os.Truncate(w.database(""), 8192)) }, "",
			[]string{"malformed", "restore it from a backup"}},
		{"zero bytes", false, func(w *world) { write(w, "", nil) }, "", []string{"empty or cut short", "restore it from a backup"}},
		{"no database", false, func(w *world) { write(w, "", bytes.Repeat([]byte("no database "), 999)) }, "",
			[]string{"not a database", "restore it from a backup"}},
		{"a newer version's", false, func(w *world) {
			content := w.readDatabase()["docusort.db"]
			copy(content[60:], []byte{0, 0, 3, 231}) // user_version
			write(w, "", content)
		}, "", []string{"newer version", "install the newer version"}},
		{"zero bytes after a kill", true, func(w *world) { write(w, "", nil) }, "", []string{"empty or cut short"}},
		{"cut short after a kill", true, func(w *world) { noErr(w.t, os.Truncate(w.database(""), 1000)) }, "", nil},
		{"-wal missing", true, func(w *world) { noErr(w.t, os.Remove(w.database("-wal"))) }, "-wal",
			[]string{"is missing", "restore both from a backup"}},
		{"-wal garbage", true, func(w *world) { write(w, "-wal", bytes.Repeat([]byte("garbage "), 9999)) }, "-wal",
			[]string{"is damaged", "restore both from a backup"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			if c.killed {
				w.killWithPending()
			} else {
				w.runSamples()
			}
			c.damage(w)
			w.drop("later.pdf", pdf(invoice, "later"))
			w.checkRefused(c.file, c.says...)
		})
	}
}

// checkRefused starts the daemon in vain, twice.
func (w *world) checkRefused(suffix string, says ...string) {
	w.t.Helper()
	before, asked := w.readDatabase(), w.api.Stats().Requests
	for range 2 {
		c := w.child("run")
		c.begin()
		c.waitExit(exitSettings)
		for _, part := range append(says, w.database(suffix)) {
			if !strings.Contains(c.stderr.String(), part) {
				w.t.Errorf("it says %q, without %q", c.stderr.String(), part)
			}
		}
	}
	if after := w.readDatabase(); !maps.EqualFunc(before, after, bytes.Equal) {
		w.t.Errorf("the files were changed: %q, %q", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
	if n := w.api.Stats().Requests; n != asked {
		w.t.Errorf("%d requests were made", n-asked)
	}
}

// TestDatabaseReadOnly: a record that may not be written to is refused before
// anything is done, and the report of it can be read.
func TestDatabaseReadOnly(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	for _, what := range []string{"file", "folder"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			w.runSamples()
			noErr(t, os.Chmod(w.dir, 0o755))
			for _, dir := range []string{w.inbox, w.sorted} {
				noErr(t, os.Chown(dir, nobody, nobody))
			}
			noErr(t, os.Chown(w.home, nobody, nobody))
			suffix := ""
			if what == "folder" {
				suffix = "-lock"
				for _, suffix := range []string{"-wal", "-shm", "-lock"} {
					noErr(t, os.Remove(w.database(suffix)))
				}
				noErr(t, os.Chown(w.database(""), nobody, nobody))
				noErr(t, os.Chmod(w.home, 0o555))
			} else {
				noErr(t, os.Chown(w.database("-lock"), nobody, nobody))
			}
			w.drop("later.pdf", pdf(invoice, "later"))
			before := w.readDatabase()
			c := w.child("run")
			c.asNobody()
			c.begin()
			c.waitExit(exitSettings)
			for _, part := range []string{w.database(suffix) + ":", "permission denied", "let user 65534", w.home} {
				if !strings.Contains(c.stderr.String(), part) {
					t.Errorf("it says %q, without %q", c.stderr.String(), part)
				}
			}
			look := w.child("report")
			look.asNobody()
			look.begin()
			look.waitExit(exitDone)
			if after := w.readDatabase(); !maps.EqualFunc(before, after, bytes.Equal) {
				t.Error("the files were changed")
			}
		})
	}
}

// TestDatabaseHeals: what SQLite can put right by itself is put right, and no job
// that was stored is paid for again.
func TestDatabaseHeals(t *testing.T) {
	for name, harm := range map[string]func(w *world){
		"-shm missing": func(w *world) { noErr(w.t, os.Remove(w.database("-shm"))) },
		"-shm garbage": func(w *world) {
			noErr(w.t, os.WriteFile(w.database("-shm"), bytes.Repeat([]byte("garbage "), 4096), 0o644))
		},
		"half a commit in -wal": func(w *world) {
			f, err := os.OpenFile(w.database("-wal"), os.O_APPEND|os.O_WRONLY, 0)
			noErr(w.t, err)
			_, err = f.Write(bytes.Repeat([]byte("half "), 999))
			noErr(w.t, err)
			noErr(w.t, f.Close())
		},
		"-lock missing": func(w *world) { noErr(w.t, os.Remove(w.database("-lock"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			w.killWithPending()
			harm(w)
			w.runToEnd()
			if n := w.api.Stats().Submissions; n != 5 {
				t.Errorf("%d submissions for 5 documents", n)
			}
		})
	}
}

// TestReaderWithoutShm: who may not make the file that is missing learns what to do.
func TestReaderWithoutShm(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	w := newWorld(t, docutraytest.Options{})
	w.killWithPending()
	noErr(t, os.Chmod(w.dir, 0o755))
	noErr(t, os.Remove(w.database("-shm")))
	before := w.readDatabase()
	c := w.child("report")
	c.asNobody()
	c.begin()
	c.waitExit(exitSettings)
	if text := c.stderr.String(); !strings.Contains(text, w.database("-shm")+" is missing") || !strings.Contains(text, "start the daemon") {
		t.Errorf("it says %q", text)
	}
	if after := w.readDatabase(); !maps.EqualFunc(before, after, bytes.Equal) {
		t.Error("the files were changed")
	}
}

// TestReportDuringHeavyWriting: a user without write access gets a report at any
// time while a thousand documents flow, each of one moment.
func TestReportDuringHeavyWriting(t *testing.T) {
	t.Parallel()
	const many = 1000
	w := newWorld(t, docutraytest.Options{})
	w.settings["DOCUSORT_LOG_LEVEL"] = "warn"
	w.settings["DOCUSORT_WORKERS"] = "16"
	noErr(t, os.Chmod(w.dir, 0o755))
	for i := range many {
		w.drop(fmt.Sprintf("%d/%d.pdf", i%10, i), pdf(invoice, fmt.Sprint(i)))
	}
	c := w.start("run")
	looks, others := 0, 0
	for seen := 0; seen < many; looks++ {
		r, ok := w.report() // fails the test on any error
		if !ok {
			continue
		}
		sum := 0
		for _, n := range r.Totals {
			sum += n
		}
		if len(r.Documents) != sum {
			t.Fatalf("the totals have %d documents, the list %d", sum, len(r.Documents))
		}
		if r.Totals["filed"] < seen {
			t.Fatalf("%d are filed, and were %d", r.Totals["filed"], seen)
		}
		seen = r.Totals["filed"]
		if looks%10 == 0 && os.Getuid() == 0 {
			look := w.child("report")
			look.asNobody()
			look.begin()
			look.waitExit(exitDone)
			others++
		}
	}
	w.stop(c)
	w.check()
	w.checkSubmissions(many)
	t.Logf("%d reports, %d more as another user", looks, others)
}
