package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"docusort/cmd/docusort/internal/settings"
)

// locked is a document that a daemon of another user cannot take, and what its owner
// does to allow it.
type locked struct {
	name   string
	reason string // a part of what the report says; "": it cannot even be seen
	lock   func(file string) error
	unlock func(file string) error
}

func chmodFolder(mode os.FileMode) func(file string) error {
	return func(file string) error { return os.Chmod(filepath.Dir(file), mode) }
}

var lockedDocuments = []locked{
	{"not readable.pdf", "not readable",
		func(file string) error { return os.Chmod(file, 0o600) },
		func(file string) error { return os.Chown(file, nobody, nobody) }},
	{"folder/not movable.pdf", "cannot be moved", chmodFolder(0o755), chmodFolder(0o777)},
	{"sticky/not ours.pdf", "sticky", chmodFolder(os.ModeSticky | 0o777), chmodFolder(0o777)},
	{"closed/not seen.pdf", "", chmodFolder(0o700), chmodFolder(0o777)},
	{"listed/not searched.pdf", "", chmodFolder(0o744), chmodFolder(0o777)},
}

// TestNotOurs: what may not be read or moved is reported, tried again at each rescan,
// delays nothing else, and is not paid for before it can be filed.
func TestNotOurs(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	for _, l := range lockedDocuments {
		w.drop(l.name, pdf(invoice, l.name))
		file := filepath.Join(w.inbox, l.name)
		noErr(t, os.Chmod(file, 0o644))
		noErr(t, l.lock(file))
	}
	w.drop("scan.pdf", pdf(receipt, "one that is in nobody's way"))
	noErr(t, os.Chmod(filepath.Join(w.inbox, "scan.pdf"), 0o644))
	w.recordModes()
	for _, dir := range []string{w.home, w.inbox} {
		noErr(t, os.Chown(dir, nobody, nobody))
	}
	d := w.startAsNobody("run")
	w.waitRunning(d)
	w.waitFor("all that can be seen is reported", func(r *reportJSON) bool {
		n := 0
		for _, doc := range r.Documents {
			if i := slices.IndexFunc(lockedDocuments, func(l locked) bool { return l.name == doc.Source }); i >= 0 &&
				doc.State == "waiting" && doc.Error != nil && strings.Contains(*doc.Error, lockedDocuments[i].reason) {
				n++
			}
		}
		return n >= 3 && r.Totals["filed"] == 1
	})
	w.waitFor("the closed folder is logged", func(*reportJSON) bool {
		return countLog(d, filepath.Join(w.inbox, "closed"), "level=WARN") > 0
	})
	w.checkSubmissions(1)
	if got := w.run("report", "--documents").stdout; !strings.Contains(got, "not readable") {
		t.Errorf("the table says nothing of what cannot be read:\n%s", got)
	}
	for _, l := range lockedDocuments {
		noErr(t, l.unlock(filepath.Join(w.inbox, l.name)))
	}
	w.waitState("filed", len(lockedDocuments)+1)
	w.stop(d)
	if r := w.check(); r.Requests.Resubmissions != 0 {
		t.Errorf("%d submissions were made again", r.Requests.Resubmissions)
	}
}

// recordModes expects the modes that documents have now.
func (w *world) recordModes() {
	w.t.Helper()
	for _, file := range filesIn(w.t, w.inbox) {
		content, err := os.ReadFile(file)
		noErr(w.t, err)
		w.recordAgain(hashOf(content), file)
	}
}

// countLog counts the lines of the log with a text and a path.
func countLog(c *child, path, text string) (n int) {
	for line := range strings.Lines(c.stderr.String()) {
		if strings.Contains(line, text) && strings.Contains(line, path) {
			n++
		}
	}
	return n
}

// TestModesOfWhatIsMade: whatever the umask, others see nothing of the folders that the
// daemon makes.
func TestModesOfWhatIsMade(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_HOME"] = filepath.Join(w.dir, "made", "home")
	w.settings["DOCUSORT_SORTED"] = filepath.Join(w.dir, "sorted")
	c := w.child("run")
	c.cmd.Args = append([]string{"/bin/sh", "-c", `umask 0 && exec "$0" "$@"`, c.cmd.Path}, c.cmd.Args[1:]...)
	c.cmd.Path = "/bin/sh"
	c.begin()
	w.waitRunning(c)
	w.stop(c)
	for _, folder := range []string{"made/home", "made/home/inbox", "sorted"} {
		info, err := os.Stat(filepath.Join(w.dir, folder))
		noErr(t, err)
		if mode := info.Mode().Perm(); mode != settings.FolderMode {
			t.Errorf("%s has mode %v", folder, mode)
		}
	}
}

// TestKeyThatOthersCanRead: the daemon warns of it.
func TestKeyThatOthersCanRead(t *testing.T) {
	w := newWorld(t)
	w.writeKey(secretKey)
	file := w.settings["DOCUTRAY_API_KEY_FILE"]
	for mode, warns := range map[os.FileMode]bool{0o600: false, 0o644: true} {
		noErr(t, os.Chmod(file, mode))
		c := w.startDaemon()
		w.stop(c)
		if strings.Contains(c.stderr.String(), "others than its owner can read the file with the API key") != warns {
			t.Errorf("%v: it said %s", mode, c.stderr.String())
		}
	}
}
