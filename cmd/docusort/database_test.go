package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// database returns the path of the database, with a suffix.
func (w *world) database(suffix string) string { return filepath.Join(w.home, "docusort.db"+suffix) }

// readDatabase returns the content of the files of the database.
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

// checkUnchanged compares with what readDatabase returned before.
func (w *world) checkUnchanged(before map[string][]byte) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.readDatabase()); diff != "" {
		w.t.Errorf("the files were changed (-before +after):\n%.2000s", diff)
	}
}

// killWithPending leaves a database whose newest changes are in the -wal file: jobs
// under way.
func (w *world) killWithPending() {
	w.t.Helper()
	w.jobsStay.Store(true)
	w.dropMany(5, "%d.pdf")
	c := w.start("run")
	w.waitState("pending", 5)
	w.kill(c)
	w.server.CloseClientConnections() // none of its requests is counted later
	w.jobsStay.Store(false)
}

// runSamples leaves a database that was closed in good order.
func (w *world) runSamples() {
	w.t.Helper()
	w.dropSamples()
	w.runToEnd()
}

// TestDatabaseRefused: package store tests every kind of damage; here, with a damaged database docusort ends with the code that systemd
// does not restart on, names the file and what to do, makes no request and changes no
// byte.
func TestDatabaseRefused(t *testing.T) {
	write := func(w *world, suffix string, content []byte) {
		noErr(w.t, os.WriteFile(w.database(suffix), content, 0o644))
	}
	cases := []struct {
		name   string
		killed bool // the daemon before was killed, or else stopped
		damage func(w *world)
		file   string // that is named, by its suffix
		says   []string
	}{
		{"a damaged page", false, func(w *world) {
			content := w.readDatabase()["docusort.db"]
			for page := 4096; page < len(content); page += 4096 {
				copy(content[page:], "no page of a database, none at all")
			}
			write(w, "", content)
		}, "", []string{"malformed", "restore it from a backup"}},
		{"a newer version's", false, func(w *world) {
			content := w.readDatabase()["docusort.db"]
			copy(content[60:], []byte{0, 0, 3, 231}) // user_version
			write(w, "", content)
		}, "", []string{"newer version", "install the newer version"}},
		{"zero bytes after a kill", true, func(w *world) { write(w, "", nil) }, "", []string{"empty or cut short"}},
		{"-wal missing", true, func(w *world) { noErr(w.t, os.Remove(w.database("-wal"))) }, "-wal",
			[]string{"is missing", "restore both from a backup"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.killed {
				w.killWithPending()
			} else {
				w.runSamples()
			}
			c.damage(w)
			w.drop("later.pdf", pdf(invoice, "later"))
			w.checkRefused(c.file, c.says...)
			if c.file == "" { // else the report shows what the file itself has
				w.run("report").check(t, exitSettings, w.database(""))
			}
		})
	}
}

// checkRefused: no command uses the database, and the daemon does not when it is
// started again either.
func (w *world) checkRefused(suffix string, says ...string) {
	w.t.Helper()
	before, asked := w.readDatabase(), w.api.Stats().Requests
	for range 2 {
		w.start("run").waitExit(exitSettings, append(says, w.database(suffix))...)
	}
	w.run("run", "--once").check(w.t, exitSettings, w.database(suffix))
	w.checkUnchanged(before)
	if n := w.api.Stats().Requests; n != asked {
		w.t.Errorf("%d requests were made", n-asked)
	}
}

// TestDatabaseReadOnly: a database that may not be written to is refused before anything
// is done, and the report of it can be read.
func TestDatabaseReadOnly(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	for _, what := range []string{"file", "folder"} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.runSamples()
			for _, dir := range []string{w.inbox, w.sorted, w.home} {
				noErr(t, os.Chown(dir, nobody, nobody))
			}
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
			w.startAsNobody("run").waitExit(exitSettings, w.database(suffix)+":", "permission denied", "let user 65534", w.home)
			w.startAsNobody("report").waitExit(exitDone)
			w.checkUnchanged(before)
		})
	}
}

// TestDatabaseRecovers: what SQLite can repair is repaired, and no stored job is paid for
// again.
func TestDatabaseRecovers(t *testing.T) {
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
			w := newWorld(t)
			w.killWithPending()
			harm(w)
			w.runToEnd()
			w.checkSubmissions(5)
		})
	}
}

// TestReaderWithoutShm: a user who may not make the missing file is told what to do.
func TestReaderWithoutShm(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.killWithPending()
	noErr(t, os.Remove(w.database("-shm")))
	before := w.readDatabase()
	w.startAsNobody("report").waitExit(exitSettings, w.database("-shm")+" is missing", "start the daemon")
	w.checkUnchanged(before)
}

// TestReportDuringHeavyWriting: while a thousand documents flow, each report is of one
// moment, also for a user without write access.
func TestReportDuringHeavyWriting(t *testing.T) {
	const many = 1000
	w := newWorld(t)
	w.settings["DOCUSORT_LOG_LEVEL"] = "warn"
	w.settings["DOCUSORT_WORKERS"] = "16"
	for i := range many {
		w.drop(fmt.Sprintf("%d/%d.pdf", i%10, i), pdf(invoice, fmt.Sprint(i)))
	}
	c := w.start("run")
	for looks, seen := 0, 0; seen < many; looks++ {
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
			w.startAsNobody("report").waitExit(exitDone)
		}
	}
	w.stop(c)
	w.check()
	w.checkSubmissions(many)
}
