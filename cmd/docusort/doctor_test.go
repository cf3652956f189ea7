package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"docusort/cmd/docusort/internal/doctor"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline/docutray"
	"docusort/pipeline/docutray/docutraytest"
)

// doctor runs doctor, and returns what it wrote.
func (w *world) doctor(want int, args ...string) string {
	w.t.Helper()
	got := w.run(append([]string{"doctor"}, args...)...)
	if got.code != want || got.stderr != "" {
		w.t.Errorf("it ended with %d, wrote\n%s and said %q", got.code, got.stdout, got.stderr)
	}
	for line := range strings.Lines(got.stdout) {
		if !strings.HasPrefix(line, "✓ ") && !strings.HasPrefix(line, "✗ ") || strings.HasPrefix(line, "✗ ") && want == exitDone {
			w.t.Errorf("a line is %q", line)
		}
	}
	return got.stdout
}

// TestDoctorAtAnyTime: before anything is there, while the daemon runs and after it,
// doctor finds nothing wrong and changes nothing.
func TestDoctorAtAnyTime(t *testing.T) {
	w := newWorld(t)
	checkContains(t, w.doctor(exitDone), "✓ settings", "✓ inbox", "✓ sorted", "made when docusort run first starts", "✓ inotify",
		"✓ database", "✓ clock", "✓ key", "✓ types", "invoice, receipt, contract: all there")
	if made := filesIn(t, w.home); len(made) > 0 {
		t.Errorf("looking made %q", made)
	}
	if _, err := os.Stat(w.sorted); err == nil {
		t.Error("looking made a folder")
	}
	file := filepath.Join(w.dir, "key")
	noErr(t, os.WriteFile(file, []byte(w.settings["DOCUTRAY_API_KEY"]), 0o600))
	delete(w.settings, "DOCUTRAY_API_KEY")
	w.settings["DOCUTRAY_API_KEY_FILE"] = file
	checkContains(t, w.doctor(exitDone, "--fix"), "made just now", "only its owner can read "+file)
	w.drop("scan.pdf", pdf(invoice, "one"))
	c := w.startDaemon()
	checkContains(t, w.doctor(exitDone), "the daemon runs")
	w.waitAllDone()
	w.stop(c)
	before := filesIn(t, w.home)
	checkContains(t, w.doctor(exitDone), "no daemon runs")
	if after := filesIn(t, w.home); !slices.Equal(before, after) {
		t.Errorf("looking made of %q %q", before, after)
	}
	w.requestsMayRepeat = true // it asked for the types
	w.check()
}

// TestDoctorFinds what is wrong outside of this machine, and in the settings.
func TestDoctorFinds(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(w *world)
		says []string
	}{
		"settings": {func(w *world) {
			w.settings["DOCUSORT_WORKERS"], w.settings["DOCUSORT_INOBX"] = "many", "slip"
		}, []string{"✗ settings  DOCUSORT_WORKERS", "✗ settings  DOCUSORT_INOBX", "✓ inbox", "✓ key"}},
		"wrong key": {func(w *world) { w.settings["DOCUTRAY_API_KEY"] = "dt_live_another" },
			[]string{"✗ key", "refuses the key", "Invalid API key"}},
		"key that others can read": {func(w *world) {
			file := filepath.Join(w.dir, "key")
			noErr(w.t, os.WriteFile(file, []byte(secretKey), 0o600))
			noErr(w.t, os.Chmod(file, 0o640))
			delete(w.settings, "DOCUTRAY_API_KEY")
			w.settings["DOCUTRAY_API_KEY_FILE"] = file
		}, []string{"✗ key", "others than its owner can read ", "chmod 600 ", "✓ types"}},
		"service down": {func(w *world) { w.api.SetOutage(docutraytest.OutageUnavailable) },
			[]string{"✗ service", "503", "docusort waits until it can be"}},
		"unknown type": {func(w *world) { w.settings["DOCUSORT_DOCUMENT_TYPES"] = "invoice,summons,memo" },
			[]string{"✓ key", "✗ types", "cannot see summons, memo", "docusort --config ", " types' lists"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.harm(w)
			got := w.doctor(exitSettings)
			checkContains(t, got, c.says...)
			if strings.Contains(got, secretKey) {
				t.Error("the key is shown")
			}
		})
	}
}

// TestDoctorOfTheDaemonsUser sees what that user may not do.
func TestDoctorOfTheDaemonsUser(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	noErr(t, os.Mkdir(w.sorted, 0o755))
	noErr(t, os.Chown(w.sorted, nobody, nobody))
	noErr(t, os.Mkdir(filepath.Join(w.sorted, "invoice"), 0o755))
	c := w.startAsNobody("doctor", "--fix")
	c.waitExit(exitSettings, "✗ home", "✗ inbox", "owner 0, mode 0755", "user 65534", "✓ sorted", "sorted/invoice cannot be written")
}

// TestDoctorOfRoot makes what is missing for the user whose folder it lies in.
func TestDoctorOfRoot(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.giveToNobody()
	w.settings["DOCUSORT_SORTED"] = filepath.Join(w.home, "new", "sorted")
	w.start("doctor", "--fix").waitExit(exitDone)
	for _, made := range []string{"new", "new/sorted"} {
		info, err := os.Stat(filepath.Join(w.home, made))
		noErr(t, err)
		if uid := info.Sys().(*syscall.Stat_t).Uid; uid != nobody {
			t.Errorf("%s is that of user %d", made, uid)
		}
	}
}

// TestDoctorTypes: a draft is as good as missing, until it is published.
func TestDoctorTypes(t *testing.T) {
	types := []docutray.DocumentType{{Code: "a", Status: "PUBLISHED"}, {Code: "b", Status: "PUBLISHED", Draft: true}, {Code: "c", Status: "DRAFT"}}
	for wanted, says := range map[string]string{
		"a": "a: all there", "a,b": "only a draft: b: publish it", "c,d,b": "cannot see d", "c,d": "only a draft: c",
	} {
		r := checkTypes(settings.Source{}, strings.Split(wanted, ","), types)
		if !strings.Contains(r.Text, says) || r.Wrong != (wanted != "a") {
			t.Errorf("%s: %+v", wanted, r)
		}
	}
}

// TestDoctorOfAMember: whoever is not the user of the service is not told to open anything,
// and a key that root alone can read is not wrong.
func TestDoctorOfAMember(t *testing.T) {
	needsRoot(t)
	w := newWorld(t)
	w.runToEnd()
	noErr(t, filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		return errors.Join(err, os.Lchown(path, nobody-1, nobody))
	}))
	for _, name := range []string{"", "-wal", "-shm"} {
		noErr(t, os.Chmod(w.database(name), 0o640))
	}
	noErr(t, os.Chown(w.config(), nobody, nobody))
	c := w.startAsNobody("doctor")
	c.waitExit(exitDone, "✓ settings", "checked as user nobody", "✓ inbox", "✓ database")
	if text := c.stdout.String(); strings.Contains(text, "give that user") || strings.Contains(text, "✓ moves") {
		t.Errorf("it says\n%s", text)
	}
}

// TestDoctorWithoutTheKey: what root alone can read is not wrong; it is only not checked.
func TestDoctorWithoutTheKey(t *testing.T) {
	s := settings.Settings{KeyOfRoot: "/etc/docusort/api-key"}
	problems := settings.Problems{{Name: settings.KeyName, Text: "only root can read it"}}
	results := checkSettings(&s, problems)
	if len(results) != 1 || results[0].Wrong || !strings.Contains(results[0].Text, "run this as root to check the key") {
		t.Errorf("%+v", results)
	}
	if results = checkSettings(&s, append(problems, settings.Problem{Name: "DOCUSORT_WORKERS", Text: "wrong"})); len(results) != 1 || !results[0].Wrong {
		t.Errorf("with another problem: %+v", results)
	}
}

// TestDoctorComparesKeys: the service has a copy of its key, made at its start.
func TestDoctorComparesKeys(t *testing.T) {
	dir := t.TempDir()
	var s settings.Settings
	s.KeyFile, s.Keys = s.InstalledKey(), docutray.StaticKey("new")
	for _, c := range [][2]string{{"", ""}, {"new\n", "✓ key"}, {"old\n", "✗ key"}} {
		used, says := c[0], c[1]
		if used != "" {
			noErr(t, os.WriteFile(filepath.Join(dir, settings.CredentialName), []byte(used), 0o600))
		}
		var b strings.Builder
		noErr(t, doctor.Write(&b, checkRunningKey(&s, dir), false))
		if !strings.HasPrefix(b.String(), says) || strings.Contains(b.String(), "systemctl restart docusort") != (used == "old\n") {
			t.Errorf("with %q: %q", used, b.String())
		}
	}
}

func TestDoctorChecksTheClock(t *testing.T) {
	for off, says := range map[time.Duration]string{0: "", -59 * time.Second: "✓ clock", 2 * time.Hour: "2 h ahead of", -3 * time.Minute: "3 min behind"} {
		var b strings.Builder
		noErr(t, doctor.Write(&b, checkClock(off), false))
		if got := b.String(); !strings.Contains(got, says) || (got == "") != (says == "") || strings.HasPrefix(got, "✗") != (off.Abs() > time.Minute) {
			t.Errorf("%v: %q", off, got)
		}
	}
}
