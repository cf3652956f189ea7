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

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// check compares the disk, the report and the requests, after a docusort that had nothing
// left to do has stopped: all promises of DESIGN §2 that an observer can see.
func (w *world) check() reportJSON {
	w.t.Helper()
	r := w.checkDisk()
	w.checkTypes(&r)
	w.checkRequests(&r)
	return r
}

// checkDisk is check without the types and requests.
func (w *world) checkDisk() reportJSON {
	w.t.Helper()
	r, ok := w.report()
	if !ok {
		w.t.Fatal("no report")
	}
	w.checkKept(&r)
	w.checkReport(&r)
	w.checkFailed(&r)
	w.checkNothingElse()
	w.checkSecret()
	return r
}

// file is a file in the inbox or in sorted.
type file struct {
	path    string
	info    fs.FileInfo
	content []byte
}

func (w *world) readFiles() (all []file) {
	w.t.Helper()
	for _, path := range append(filesIn(w.t, w.inbox), filesIn(w.t, w.sorted)...) {
		info, err := os.Lstat(path)
		noErr(w.t, err)
		content, err := os.ReadFile(path)
		noErr(w.t, err)
		all = append(all, file{path, info, content})
	}
	return all
}

// isSidecar: no document that a test drops begins like a sidecar.
func (f file) isSidecar() bool {
	return strings.HasSuffix(f.path, ".json") && bytes.HasPrefix(f.content, []byte("{"))
}

// checkKept is DESIGN §2.1: what was dropped exists whole, exactly once, with its mode
// and time, and nothing else does.
func (w *world) checkKept(r *reportJSON) {
	w.t.Helper()
	there := map[string][]stamp{}
	for _, f := range w.readFiles() {
		if isTemporary(filepath.Base(f.path)) {
			w.t.Errorf("a temporary file is left: %s", f.path)
		} else if !f.isSidecar() {
			h := hashOf(f.content)
			there[h] = append(there[h], stampOf(f.info))
		}
	}
	if w.attributesRefused {
		for _, stamps := range there {
			clear(stamps)
		}
	}
	want := maps.Clone(w.dropped)
	maps.DeleteFunc(want, func(_ string, stamps []stamp) bool { return len(stamps) == 0 })
	if w.attributesRefused {
		for h, stamps := range want {
			want[h] = make([]stamp, len(stamps))
		}
	}
	diff := cmp.Diff(want, there, cmpopts.SortSlices(func(a, b stamp) bool {
		return a.Modified < b.Modified || a.Modified == b.Modified && a.Mode < b.Mode
	}))
	if diff == "" {
		return
	}
	w.t.Errorf("documents (-dropped +found):\n%s", diff)
	for _, d := range r.Documents {
		if strings.Contains(diff, d.hash()) {
			w.t.Logf("reported: %d, %q, %s", d.ID, d.Source, d.State)
		}
	}
}

// checkReport is DESIGN §2.10: the report and the disk say the same.
func (w *world) checkReport(r *reportJSON) {
	w.t.Helper()
	totals, types, byPath := map[string]int{}, map[string][2]int{}, map[string]*reportDocument{}
	for state := range r.Totals {
		totals[state] = 0
	}
	for i := range r.Documents {
		d := &r.Documents[i]
		totals[d.State]++
		switch d.State {
		case "filed", "review":
			n := types[*d.Type]
			n[map[string]int{"filed": 0, "review": 1}[d.State]]++
			types[*d.Type] = n
		case "failed":
		default:
			if d.Path != nil {
				w.t.Errorf("%q is %s and has a path: %q", d.Source, d.State, *d.Path)
			}
			continue
		}
		if byPath[*d.Path] != nil {
			w.t.Errorf("two documents are at %q", *d.Path)
		}
		byPath[*d.Path] = d
	}
	if diff := cmp.Diff(totals, r.Totals); diff != "" {
		w.t.Errorf("totals (-documents +report):\n%s", diff)
	}
	for _, c := range r.Types {
		if types[c.Type] != [2]int{c.Filed, c.Review} {
			w.t.Errorf("type %q has %d filed, %d in review; the documents %d", c.Type, c.Filed, c.Review, types[c.Type])
		}
	}
	w.checkSorted(byPath)
}

// checkSorted: every file beneath sorted is a reported document with its bytes, or the
// whole sidecar of one.
func (w *world) checkSorted(byPath map[string]*reportDocument) {
	w.t.Helper()
	found := map[string]bool{}
	for _, path := range filesIn(w.t, w.sorted) {
		name := display.Name(path)
		content, err := os.ReadFile(path)
		noErr(w.t, err)
		found[name] = true
		if d := byPath[name]; d != nil {
			if d.hash() != hashOf(content) && len(content) > 0 || d.Size != int64(len(content)) {
				w.t.Errorf("%s is not what was reported: %+v", path, d)
			}
			continue
		}
		base, states := strings.TrimSuffix(name, ".json"), "filed review"
		if b, failed := strings.CutSuffix(name, ".error.json"); failed {
			base, states = b, "failed"
		}
		if d := byPath[base]; d == nil || base == name || !strings.Contains(states, d.State) {
			w.t.Errorf("%s is not reported", path)
		} else {
			w.checkSidecar(path, content, d)
		}
	}
	for path, d := range byPath {
		if !found[path] {
			w.t.Errorf("%s is reported and does not exist", path)
		}
		sidecar := path + ".json"
		if d.State == "failed" {
			sidecar = path + ".error.json"
		}
		if (d.State != "filed" || w.settings["DOCUSORT_SIDECAR"] == "true") && !found[sidecar] {
			w.t.Errorf("%s has no sidecar", path)
		}
	}
}

func (w *world) checkSidecar(path string, content []byte, d *reportDocument) {
	w.t.Helper()
	var s struct {
		Source, Reason, Type, SHA256 string
		DecidedBy                    string `json:"decided_by"`
		Confidence                   *float64
	}
	if err := json.Unmarshal(content, &s); err != nil {
		w.t.Errorf("%s is not whole: %v", path, err)
		return
	}
	ok := s.Source == d.Source && s.SHA256 == d.hash()
	if d.State == "failed" {
		ok = ok && s.Reason == *d.Error
	} else {
		ok = ok && s.Type == *d.Type && cmp.Equal(s.Confidence, d.Confidence) && s.DecidedBy == *d.DecidedBy
	}
	if !ok {
		w.t.Errorf("%s is %s; the report has %+v", path, content, d)
	}
}

// checkTypes is DESIGN §2.2: the folder is that of the type that the service, or a person,
// gave to exactly these bytes.
func (w *world) checkTypes(r *reportJSON) {
	w.t.Helper()
	answers := map[string]docutraytest.Result{}
	for _, u := range w.api.Uploads() {
		answers[u.SHA256] = u.Result
	}
	for _, d := range r.Documents {
		if d.State != "filed" && d.State != "review" {
			continue
		}
		if kind := w.decided[d.hash()]; kind != "" {
			if *d.Type != kind || *d.DecidedBy != "person" || filepath.Dir(*d.Path) != filepath.Join(w.sorted, folderOf(kind)) {
				w.t.Errorf("%q is at %q as %q by %s; a person said %s", d.Source, *d.Path, *d.Type, *d.DecidedBy, kind)
			}
			continue
		}
		answer, asked := answers[d.hash()]
		folder := folderOf(answer.Type.Code)
		if answer.Type.Confidence < w.minConfidence {
			folder = filepath.Join("_review", folder)
		}
		if !asked || *d.DecidedBy != "service" || *d.Type != answer.Type.Code || filepath.Dir(*d.Path) != filepath.Join(w.sorted, folder) {
			w.t.Errorf("%q is at %q as %q; the service said %+v (asked: %v)", d.Source, *d.Path, *d.Type, answer.Type, asked)
		}
	}
}

// checkFailed is DESIGN §2.6.
func (w *world) checkFailed(r *reportJSON) {
	w.t.Helper()
	for _, d := range r.Documents {
		if d.State != "gone" && (d.State == "failed") != w.mustFail[d.hash()] {
			w.t.Errorf("%q is %s: %v", d.Source, d.State, d.Error)
		}
	}
}

// checkNothingElse is a part of DESIGN §2.8.
func (w *world) checkNothingElse() {
	w.t.Helper()
	for _, name := range []string{"elsewhere", "tmp", "user"} {
		for _, file := range filesIn(w.t, filepath.Join(w.dir, name)) {
			w.t.Errorf("docusort wrote %s", file)
		}
	}
	entries, err := os.ReadDir(w.home)
	noErr(w.t, err)
	may := []string{"inbox", "sorted", "docusort.db", "docusort.db-lock", "docusort.db-running", "docusort.db-shm", "docusort.db-wal", ".docusort-lock-inbox"}
	for _, e := range entries {
		if !slices.Contains(may, e.Name()) {
			w.t.Errorf("docusort wrote %s in its home", e.Name())
		}
	}
}

// checkSecret: the key is in nothing that docusort wrote, and no docusort had a data race.
func (w *world) checkSecret() {
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
			w.t.Errorf("the key is in %s", name)
		}
		if bytes.Contains(texts[name], []byte("DATA RACE")) {
			w.t.Errorf("a data race in %s", name)
		}
	}
}
