package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
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

// TestReaderWithoutShm: a user who may not make the missing file is told what to do.
func TestReaderWithoutShm(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.killWithPending()
	noErr(t, os.Remove(w.database("-shm")))
	for _, file := range []string{"", "-wal"} {
		noErr(t, os.Chmod(w.database(file), 0o644))
	}
	before := w.readDatabase()
	w.startAsNobody("report").waitExit(exitSettings, w.database("-shm")+" is missing", "start the daemon")
	w.checkUnchanged(before)
}

// TestDatabaseLocked: a lock that a reader of the files keeps is a hold that names the
// file and what to do, is wrong for doctor, and ends with the lock.
func TestDatabaseLocked(t *testing.T) {
	w := newWorld(t)
	w.requestsMayRepeat = true // of doctor
	c := w.startDaemon()
	f, err := os.Open(w.database("-shm"))
	noErr(t, err)
	defer f.Close()
	noErr(t, unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK}))
	w.drop("scan.pdf", pdf(invoice, "one"))
	w.waitHold("disk")
	for _, command := range []string{"report", "doctor"} {
		got := w.run(command)
		if !strings.Contains(got.stdout, "keeps a lock on "+w.database("-shm")) || command == "doctor" && got.code != exitSettings {
			t.Errorf("%s ended with %d: %s", command, got.code, got.stdout)
		}
	}
	noErr(t, f.Close())
	w.waitAllDone()
	w.finish(c)
	w.checkSubmissions(1)
}
