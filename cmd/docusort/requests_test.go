package main

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"

	"docusort/pipeline/filing"
	"docusort/store"
)

// autopsy looks at what a killed docusort left: what must be true even then, and
// what the next one must respect.
func (w *world) autopsy() {
	w.t.Helper()
	there := map[string]bool{}
	for _, file := range append(filesIn(w.t, w.inbox), filesIn(w.t, w.sorted)...) {
		if !filing.IsTemporary(filepath.Base(file)) {
			content, err := os.ReadFile(file)
			noErr(w.t, err)
			there[hashOf(content)] = true
		}
	}
	for h, stamps := range w.dropped {
		if len(stamps) > 0 && !there[h] {
			w.t.Errorf("document %.8s has no name where a user would look for it", h)
		}
	}
	r, ok := w.report()
	if !ok {
		return
	}
	if r.Daemon.Running {
		w.t.Error("the report says that a killed daemon runs")
	}
	w.records(func(d *store.Document) {
		switch d.State {
		case store.Submitting:
			w.cutOff[upload{hex.EncodeToString(d.SHA256), d.ID, d.Submissions}] = true
		case store.Pending, store.Identified, store.Filed, store.Review:
			w.stored[d.JobID] = !d.Reused
		}
	})
}

// upload is one POST of a document.
type upload struct {
	hash   string
	doc    int64
	number int
}

// records hands every record of the database to f.
func (w *world) records(f func(*store.Document)) {
	w.t.Helper()
	reader, err := store.OpenReader(context.Background(), filepath.Join(w.home, "docusort.db"))
	noErr(w.t, err)
	defer reader.Close()
	noErr(w.t, reader.Documents(context.Background(), store.Filter{}, func(d *store.Document) error {
		f(d)
		return nil
	}))
}

// askedNoMoreThanNeeded is DESIGN §2.3 to §2.5: what arrived at the service
// against what the record says.
func (w *world) askedNoMoreThanNeeded(r *reportJSON) {
	w.t.Helper()
	jobs := map[string][]string{} // by hash, in the order of their making
	for _, u := range w.api.Uploads() {
		jobs[u.SHA256] = append(jobs[u.SHA256], u.JobID)
	}
	again, cutOff := w.resubmissions(r), map[string]int{}
	for u := range w.cutOff {
		cutOff[u.hash]++
	}
	stats := w.api.Stats()
	uploads := stats.CompleteBySHA256
	if w.troubled {
		uploads = stats.JobsBySHA256 // whole uploads may have been refused
	}
	for h, n := range uploads {
		if w.dropped[h] == nil {
			w.t.Errorf("%.8s was uploaded and never dropped", h)
		}
		if w.hopeless[h] {
			continue // each of these is submitted anew: there is no answer to use again
		}
		if n > 1+again[h] {
			w.t.Errorf("document %.8s was uploaded %d times; the record admits to %d", h, n, 1+again[h])
		}
		if again[h] != cutOff[h] && !w.troubled {
			w.t.Errorf("document %.8s was submitted again %d times, and cut off %d times", h, again[h], cutOff[h])
		}
		for i, id := range jobs[h] {
			if w.stored[id] && i != len(jobs[h])-1 {
				w.t.Errorf("document %.8s: job %s was stored, and another one made after it", h, id)
			}
		}
	}
	if !w.troubled && stats.Submissions > r.Requests.Submissions {
		w.t.Errorf("%d submissions arrived, %d are reported", stats.Submissions, r.Requests.Submissions)
	}
	if r.Requests.Polls > stats.Polls && !w.wired {
		w.t.Errorf("%d polls are reported, %d arrived", r.Requests.Polls, stats.Polls)
	}
	if n := stats.ByStatus["types 200"]; n > 0 && !w.troubled {
		w.t.Errorf("the types were asked for %d times, of a service that was well", n)
	}
}

// resubmissions returns what the record has for each hash, which the report adds
// up.
func (w *world) resubmissions(r *reportJSON) map[string]int {
	w.t.Helper()
	all, sum := map[string]int{}, 0
	w.records(func(d *store.Document) {
		all[hex.EncodeToString(d.SHA256)] += d.Resubmissions
		sum += d.Resubmissions
	})
	if r.Requests.Resubmissions != sum {
		w.t.Errorf("the report has %d resubmissions, the documents %d", r.Requests.Resubmissions, sum)
	}
	return all
}

// submissions returns how many of each hash the record has.
func (w *world) submissions() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	w.records(func(d *store.Document) { all[hex.EncodeToString(d.SHA256)] += d.Submissions })
	return all
}
