package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
)

// check compares what is on disk, what the report says and what the service was
// asked, after a docusort that had nothing left to do has stopped: all that
// DESIGN §2 promises and a bystander can see.
func (w *world) check() reportJSON {
	w.t.Helper()
	r, ok := w.report()
	if !ok {
		w.t.Fatal("there is no report")
	}
	w.keptEverything(&r)
	w.toldTheTruth(&r)
	w.filedRightly(&r)
	w.failedOnlyTheHopeless(&r)
	w.askedNoMoreThanNeeded(&r)
	w.wroteNowhereElse()
	w.keptSecret()
	return r
}

// contents returns the documents that are where a user looks for them, by hash,
// and checks that nothing else is left lying about.
func (w *world) contents() map[string][]stamp {
	w.t.Helper()
	all := map[string][]stamp{}
	for _, file := range append(filesIn(w.t, w.inbox), filesIn(w.t, w.sorted)...) {
		info, err := os.Lstat(file)
		noErr(w.t, err)
		content, err := os.ReadFile(file)
		noErr(w.t, err)
		if filing.IsTemporary(filepath.Base(file)) {
			w.t.Errorf("a temporary is left: %s", file)
		} else if !isSidecar(file, content) {
			h := hashOf(content)
			all[h] = append(all[h], stamp{info.ModTime().UnixNano(), info.Mode()})
		}
	}
	return all
}

// isSidecar: no document that a test drops begins like one.
func isSidecar(file string, content []byte) bool {
	return strings.HasSuffix(file, ".json") && bytes.HasPrefix(content, []byte("{"))
}

// keptEverything is DESIGN §2.1: what was dropped exists whole, exactly once,
// with its mode and time.
func (w *world) keptEverything(r *reportJSON) {
	w.t.Helper()
	there := w.contents()
	for h, want := range w.dropped {
		got := there[h]
		if slices.Equal(sortedStamps(got), sortedStamps(want)) {
			continue
		}
		w.t.Errorf("document %.8s was dropped as %v and exists as %v", h, want, got)
		for _, d := range r.Documents {
			if d.hash() == h {
				w.t.Logf("reported of it: %d, %q, %s at %s", d.ID, d.Source, d.State, orNone(d.Path))
			}
		}
	}
	for h := range there {
		if w.dropped[h] == nil {
			w.t.Errorf("a file with hash %.8s was never dropped", h)
		}
	}
}

func orNone(s *string) string {
	if s == nil {
		return "no path"
	}
	return *s
}

func sortedStamps(s []stamp) []stamp {
	return slices.SortedFunc(slices.Values(s), func(a, b stamp) int {
		if a.modified != b.modified {
			return int(a.modified - b.modified)
		}
		return int(a.mode) - int(b.mode)
	})
}

// toldTheTruth is DESIGN §2.10: the report and the disk say the same.
func (w *world) toldTheTruth(r *reportJSON) {
	w.t.Helper()
	totals, claimed := map[string]int{}, map[string]bool{}
	filed, review := map[string]int{}, map[string]int{}
	for i := range r.Documents {
		d := &r.Documents[i]
		totals[d.State]++
		switch d.State {
		case "filed":
			filed[*d.Type]++
		case "review":
			review[*d.Type]++
		case "failed":
		default:
			if d.Path != nil {
				w.t.Errorf("%q is %s and has a path: %q", d.Source, d.State, *d.Path)
			}
			continue
		}
		if claimed[*d.Path] {
			w.t.Errorf("two documents are at %q", *d.Path)
		}
		claimed[*d.Path] = true
	}
	for state, n := range r.Totals {
		if totals[state] != n {
			w.t.Errorf("the totals have %d %s, the documents %d", n, state, totals[state])
		}
	}
	for _, c := range r.Types {
		if filed[c.Type] != c.Filed || review[c.Type] != c.Review {
			w.t.Errorf("type %q has %d filed, %d in review; the documents %d and %d", c.Type, c.Filed, c.Review, filed[c.Type], review[c.Type])
		}
	}
	w.sortedIsReported(r, claimed)
}

// sortedIsReported: every file beneath sorted is a reported document with these
// bytes, or the whole sidecar of one.
func (w *world) sortedIsReported(r *reportJSON, claimed map[string]bool) {
	w.t.Helper()
	byPath := map[string]*reportDocument{}
	for i := range r.Documents {
		if p := r.Documents[i].Path; p != nil {
			byPath[*p] = &r.Documents[i]
		}
	}
	for _, file := range filesIn(w.t, w.sorted) {
		name := display.Name(file)
		content, err := os.ReadFile(file)
		noErr(w.t, err)
		if d := byPath[name]; d != nil {
			delete(claimed, name)
			if d.hash() != hashOf(content) && len(content) > 0 || d.Size != int64(len(content)) {
				w.t.Errorf("%s is not what was reported: %+v", file, d)
			}
			if w.sidecarDue(d) && len(sidecarOf(w.t, file, d.State)) == 0 {
				w.t.Errorf("%s has no file beside it", file)
			}
			continue
		}
		base, suffix := strings.TrimSuffix(name, ".json"), "filed review"
		if b, failed := strings.CutSuffix(name, ".error.json"); failed {
			base, suffix = b, "failed"
		}
		d := byPath[base]
		if d == nil || base == name || !strings.Contains(suffix, d.State) {
			w.t.Errorf("nobody reported %s", file)
			continue
		}
		w.sidecarIsWhole(file, content, d)
	}
	for path := range claimed {
		w.t.Errorf("%s was reported and does not exist", path)
	}
}

func (w *world) sidecarDue(d *reportDocument) bool {
	return d.State != "filed" || w.settings["DOCUSORT_SIDECAR"] == "true"
}

func sidecarOf(t interface{ Helper() }, file, state string) []byte {
	t.Helper()
	suffix := ".json"
	if state == "failed" {
		suffix = ".error.json"
	}
	content, _ := os.ReadFile(file + suffix)
	return content
}

func (w *world) sidecarIsWhole(file string, content []byte, d *reportDocument) {
	w.t.Helper()
	var s struct {
		Source, Reason, Type, SHA256 string
		JobID                        string `json:"job_id"`
		Confidence                   *float64
	}
	if err := json.Unmarshal(content, &s); err != nil {
		w.t.Errorf("%s is not whole: %v", file, err)
		return
	}
	ok := s.Source == d.Source && s.SHA256 == d.hash()
	if d.State == "failed" {
		ok = ok && s.Reason == *d.Error
	} else {
		ok = ok && s.Type == *d.Type && s.Confidence != nil && *s.Confidence == *d.Confidence
	}
	if !ok {
		w.t.Errorf("%s says %s, the report %+v", file, content, d)
	}
}

// filedRightly is DESIGN §2.2: the folder is that of the type that the service
// gave to exactly these bytes.
func (w *world) filedRightly(r *reportJSON) {
	w.t.Helper()
	answers := map[string]docutraytest.Result{}
	for _, u := range w.api.Uploads() {
		answers[u.SHA256] = u.Result
	}
	for _, d := range r.Documents {
		if d.State != "filed" && d.State != "review" {
			continue
		}
		answer, asked := answers[d.hash()]
		folder := filing.FolderName(answer.Type.Code)
		if answer.Type.Confidence < w.minConfidence {
			folder = filepath.Join("_review", folder)
		}
		if !asked || *d.Type != answer.Type.Code || filepath.Dir(*d.Path) != filepath.Join(w.sorted, folder) {
			w.t.Errorf("%q is at %q as %q; the service said %+v (asked: %v)", d.Source, *d.Path, *d.Type, answer.Type, asked)
		}
	}
}

// failedOnlyTheHopeless is DESIGN §2.6.
func (w *world) failedOnlyTheHopeless(r *reportJSON) {
	w.t.Helper()
	for _, d := range r.Documents {
		if d.State != "gone" && (d.State == "failed") != w.hopeless[d.hash()] {
			w.t.Errorf("%q is %s: %v", d.Source, d.State, d.Error)
		}
	}
}

// wroteNowhereElse is a part of DESIGN §2.8.
func (w *world) wroteNowhereElse() {
	w.t.Helper()
	for _, name := range []string{"elsewhere", "tmp", "user"} {
		for _, file := range filesIn(w.t, filepath.Join(w.dir, name)) {
			w.t.Errorf("docusort wrote %s", file)
		}
	}
	entries, err := os.ReadDir(w.home)
	noErr(w.t, err)
	may := []string{"inbox", "sorted", "docusort.db", "docusort.db-lock", "docusort.db-shm", "docusort.db-wal"}
	for _, e := range entries {
		if !slices.Contains(may, e.Name()) {
			w.t.Errorf("docusort wrote %s in its home", e.Name())
		}
	}
}

// keptSecret: the key is in nothing that any docusort wrote, and no docusort met
// a data race.
func (w *world) keptSecret() {
	w.t.Helper()
	texts := map[string][]byte{}
	for _, c := range w.children {
		texts["what '"+c.name+"' wrote"] = []byte(c.stdout.String() + c.stderr.String())
	}
	for _, name := range []string{"home", "tmp", "sorted"} {
		root := filepath.Join(w.dir, name)
		_ = filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				texts[file], err = os.ReadFile(file)
			}
			return err
		})
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if bytes.Contains(texts[name], []byte(secretKey)) {
			w.t.Errorf("the key stands in %s", name)
		}
		if bytes.Contains(texts[name], []byte("DATA RACE")) {
			w.t.Errorf("a data race in %s", name)
		}
	}
}
