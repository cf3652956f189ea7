package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docusort/pipeline"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
)

// failing drops documents that fail: one that no job can identify for now, one
// of no format, an empty one; and lets a daemon bring them to _failed.
func (w *world) failing() reportJSON {
	w.t.Helper()
	w.troubled = true // a retry may be a submission again
	w.settings["DOCUSORT_MAX_ATTEMPTS"] = "1"
	bad := pdf(contract, "illegible for now")
	w.curse(bad, true)
	w.drop("a/scan.pdf", bad)
	w.drop("notes.txt", noDocument("one"))
	w.drop("empty.pdf", nil)
	w.hopeless[""] = true // it is never read, so the report has no hash
	r := w.finish()
	if r.Totals["failed"] != 3 {
		w.t.Fatalf("failed: %d", r.Totals["failed"])
	}
	return r
}

// curse makes the jobs of a content fail, or not any more.
func (w *world) curse(content []byte, on bool) {
	if h := hashOf(content); on {
		w.cursed.Store(h, true)
		w.hopeless[h] = true
	} else {
		w.cursed.Delete(h)
		delete(w.hopeless, h)
	}
}

func (w *world) failed(r reportJSON, source string) reportDocument {
	w.t.Helper()
	for _, d := range r.Documents {
		if d.Source == source && d.State == "failed" {
			return d
		}
	}
	w.t.Fatalf("%q did not fail: %+v", source, r.Documents)
	return reportDocument{}
}

// wentOn: the contract was filed, the others failed again, each under its record.
func (w *world) wentOn(before, r reportJSON) {
	w.t.Helper()
	if len(r.Documents) != len(before.Documents) || r.Totals["filed"] != 1 || r.Totals["failed"] != 2 {
		w.t.Errorf("%d documents became %d: %v", len(before.Documents), len(r.Documents), r.Totals)
	}
	for i, d := range r.Documents {
		if was := before.Documents[i]; d.ID != was.ID || d.hash() != was.hash() {
			w.t.Errorf("%+v goes on as %+v", was, d)
		} else if d.State == "filed" && (d.Attempts != was.Attempts+1 || *d.Type != "contract") {
			w.t.Errorf("filed after a retry: %+v", d)
		}
	}
}

// TestRetry puts back everything that failed, whatever the daemon does.
func TestRetry(t *testing.T) {
	for _, daemon := range []string{"running", "stopped", "killed"} {
		for _, place := range places {
			t.Run(daemon+"/"+place.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, docutraytest.Options{})
				if place.far {
					w.farSorted()
				}
				before := w.failing()
				w.curse(pdf(contract, "illegible for now"), false)
				var c *child
				if daemon != "stopped" {
					c = w.start(death{}, "run")
					w.runs(c)
				}
				if daemon == "killed" {
					_ = c.cmd.Process.Kill()
					w.dies(c)
				}
				got := w.run("retry", "--all")
				if got.code != exitDone || strings.Count(got.stdout, "\n") != 3 || !strings.Contains(got.stdout, "a/scan.pdf") || got.stderr != "" {
					t.Errorf("it ended with %d, wrote %q and said %q", got.code, got.stdout, got.stderr)
				}
				if daemon != "running" {
					r, _ := w.report()
					if r.Totals["waiting"] != 3 || len(filesIn(t, w.inbox)) != 3 || len(filesIn(t, w.sorted)) != 0 {
						t.Errorf("before the daemon runs: %v, sorted has %q", r.Totals, filesIn(t, w.sorted))
					}
					w.wentOn(before, w.finish())
					return
				}
				w.until("all were tried again", func(r *reportJSON) bool { return r.Totals["filed"] == 1 && r.Totals["failed"] == 2 })
				w.stop(c)
				w.wentOn(before, w.check())
			})
		}
	}
}

// TestRetryKilled: whoever ends it in the middle, the daemon goes on, or the next
// retry does; every document is there once, and known once.
func TestRetryKilled(t *testing.T) {
	var deaths []death
	for _, step := range pipeline.PutBackSteps() {
		deaths = append(deaths, death{Step: step, N: 1})
	}
	for n := int64(1); n <= 16; n += 3 {
		deaths = append(deaths, death{Files: true, N: n})
	}
	for _, place := range places {
		for i, d := range deaths {
			t.Run(fmt.Sprintf("%s/%s", place.name, d), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, docutraytest.Options{})
				if place.far {
					w.farSorted()
				}
				before := w.failing()
				w.curse(pdf(contract, "illegible for now"), false)
				var daemon *child
				if i%2 == 0 {
					daemon = w.start(death{}, "run")
					w.runs(daemon)
				}
				c := w.start(d, "retry", "--all")
				if code := c.wait(); code == killed && daemon == nil {
					w.keptNames()
				} else if code != killed && code != exitDone {
					t.Fatalf("it ended with %d", code)
				}
				if got := w.run("retry", "--all"); got.code != exitDone {
					t.Fatalf("the next one ended with %d and said %q", got.code, got.stderr)
				}
				if daemon == nil {
					w.wentOn(before, w.finish())
					return
				}
				w.until("all were tried again", func(r *reportJSON) bool {
					return r.Totals["filed"] == 1 && r.Totals["failed"] == 2 && r.unfinished() == 0 && len(filesIn(t, w.inbox)) == 0
				})
				w.stop(daemon)
				w.wentOn(before, w.check())
			})
		}
	}
}

// keptNames: whatever was dropped has a name where a user would look for it.
func (w *world) keptNames() {
	w.t.Helper()
	there := map[string]bool{}
	for _, file := range append(filesIn(w.t, w.inbox), filesIn(w.t, w.sorted)...) {
		content, err := os.ReadFile(file)
		noErr(w.t, err)
		if !filing.IsTemporary(filepath.Base(file)) {
			there[hashOf(content)] = true
		}
	}
	for h := range w.dropped {
		if !there[h] {
			w.t.Errorf("document %.8s has no name where a user would look for it", h)
		}
	}
}

// TestRetryPlaces: a name that is taken is left alone, a folder that is gone is
// made again, and what somebody took out of _failed is skipped.
func TestRetryPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, docutraytest.Options{})
	before := w.failing()
	scan, notes, empty := w.failed(before, "a/scan.pdf"), w.failed(before, "notes.txt"), w.failed(before, "empty.pdf")
	noErr(t, os.RemoveAll(filepath.Join(w.inbox, "a")))
	w.drop("notes.txt", pdf(invoice, "of the same name"))
	noErr(t, os.Rename(*empty.Path, filepath.Join(w.dir, "kept.pdf")))
	if got := w.run("retry", "--all"); got.code != exitDone ||
		!strings.Contains(got.stdout, fmt.Sprintf("%d: back in the inbox as a/scan.pdf\n", scan.ID)) ||
		!strings.Contains(got.stdout, fmt.Sprintf("%d: back in the inbox as notes-2.txt\n", notes.ID)) ||
		!strings.Contains(got.stdout, fmt.Sprintf("%d: skipped, it is no longer at %s\n", empty.ID, *empty.Path)) {
		t.Errorf("it ended with %d, wrote %q and said %q", got.code, got.stdout, got.stderr)
	}
	if got := w.run("retry", fmt.Sprint(notes.ID)); got.code != exitFailed || !strings.Contains(got.stderr, "waiting") {
		t.Errorf("once more it ended with %d and said %q", got.code, got.stderr)
	}
	noErr(t, os.Rename(filepath.Join(w.dir, "kept.pdf"), filepath.Join(w.inbox, "another name.pdf")))
	r := w.finish()
	if d := w.failed(r, "notes-2.txt"); d.ID != notes.ID {
		t.Errorf("%+v goes on as %+v", notes, d)
	}
	if d := w.failed(r, "another name.pdf"); d.ID != empty.ID {
		t.Errorf("%+v goes on as %+v", empty, d)
	}
}

// TestRetryChanged: what was mended where it lay is a document of its own.
func TestRetryChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, docutraytest.Options{})
	scan := w.failed(w.failing(), "a/scan.pdf")
	mended := pdf(contract, "mended")
	noErr(t, os.WriteFile(*scan.Path, mended, 0o640))
	info, err := os.Lstat(*scan.Path)
	noErr(t, err)
	delete(w.dropped, scan.hash())
	w.note(mended, info)
	w.curse(pdf(contract, "illegible for now"), false)
	if got := w.run("retry", fmt.Sprint(scan.ID)); got.code != exitDone || !strings.Contains(got.stdout, "new document") {
		t.Errorf("it ended with %d, wrote %q and said %q", got.code, got.stdout, got.stderr)
	}
	w.dropped[scan.hash()] = []stamp{} // it was uploaded once, and is gone
	r := w.finish()
	for _, d := range r.Documents {
		if d.ID == scan.ID && d.State != "gone" || d.hash() == hashOf(mended) && d.State != "filed" {
			t.Errorf("it is %+v", d)
		}
	}
}

// TestMovedBackByHand: to its own place or to any other, while the daemon runs or
// not, a failed document goes on.
func TestMovedBackByHand(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("daemon running ", running), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, docutraytest.Options{})
			before := w.failing()
			w.curse(pdf(contract, "illegible for now"), false)
			var c *child
			if running {
				c = w.start(death{}, "run")
				w.runs(c)
			}
			for i := range before.Documents {
				d := &before.Documents[i]
				to := filepath.Join(w.inbox, "by hand", filepath.Base(*d.Path))
				if d.Source == "a/scan.pdf" {
					to = filepath.Join(w.inbox, "anything.pdf")
				}
				noErr(t, os.MkdirAll(filepath.Dir(to), 0o755))
				noErr(t, os.Rename(*d.Path, to))
			}
			if !running {
				w.wentOn(before, w.finish())
				return
			}
			w.until("all were tried again", func(r *reportJSON) bool {
				return r.Totals["filed"] == 1 && r.Totals["failed"] == 2 && len(filesIn(t, w.inbox)) == 0
			})
			w.stop(c)
			w.wentOn(before, w.check())
		})
	}
}
