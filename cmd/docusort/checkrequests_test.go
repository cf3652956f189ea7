package main

import "path/filepath"

// checkKilled checks what must hold even after docusort was killed, and notes what the
// next one must respect.
func (w *world) checkKilled() {
	w.t.Helper()
	w.checkNames()
	if _, ok := w.report(); !ok {
		return
	}
	// A hook that it was just starting has its locks until the hook's program runs.
	w.waitFor("the report says that it was killed", func(r *reportJSON) bool { return !r.Daemon.Running })
	for _, row := range w.rows() {
		if row.submitting {
			w.interrupted[row.upload] = true
		}
		if row.jobID != "" {
			w.storedJobs[row.jobID] = true
		}
	}
}

// checkNames: each document has a name in the inbox or in sorted.
func (w *world) checkNames() {
	w.t.Helper()
	there := map[string]bool{}
	for _, f := range w.readFiles() {
		if !isTemporary(filepath.Base(f.path)) {
			there[hashOf(f.content)] = true
		}
	}
	for h, stamps := range w.dropped {
		if len(stamps) > 0 && !there[h] {
			w.t.Errorf("document %.8s has no name where a user would look for it", h)
		}
	}
}

// checkRequests is DESIGN §2.3 to §2.5: it compares what reached the service with the
// database.
func (w *world) checkRequests(r *reportJSON) {
	w.t.Helper()
	jobs := map[string][]string{} // by hash, oldest first
	for _, u := range w.api.Uploads() {
		jobs[u.SHA256] = append(jobs[u.SHA256], u.JobID)
	}
	again, interrupted := w.resubmissions(r), map[string]int{}
	for u := range w.interrupted {
		interrupted[u.hash]++
	}
	stats := w.api.Stats()
	uploads := stats.CompleteBySHA256
	if w.requestsMayRepeat {
		uploads = stats.JobsBySHA256 // whole uploads may have been refused
	}
	for h, n := range uploads {
		if w.dropped[h] == nil {
			w.t.Errorf("%.8s was uploaded and never dropped", h)
		}
		if w.mustFail[h] {
			continue // there is no answer to reuse: each of these is submitted
		}
		if n > 1+again[h] {
			w.t.Errorf("document %.8s was uploaded %d times; the database has %d resubmissions", h, n, again[h])
		}
		if again[h] != interrupted[h] && !w.requestsMayRepeat {
			w.t.Errorf("document %.8s was submitted again %d times, and interrupted %d times", h, again[h], interrupted[h])
		}
		for i, id := range jobs[h] {
			if w.storedJobs[id] && i != len(jobs[h])-1 {
				w.t.Errorf("document %.8s: job %s was stored, and another one made after it", h, id)
			}
		}
	}
	if !w.requestsMayRepeat && stats.Submissions > r.Requests.Submissions {
		w.t.Errorf("%d submissions arrived, %d are reported", stats.Submissions, r.Requests.Submissions)
	}
	if r.Requests.Polls > stats.Polls {
		w.t.Errorf("%d polls are reported, %d arrived", r.Requests.Polls, stats.Polls)
	}
	if n := stats.ByStatus["types 200"]; n > 0 && !w.requestsMayRepeat {
		w.t.Errorf("the types were requested %d times from a service without trouble", n)
	}
}

// resubmissions returns what the database has for each hash, and compares the sum with
// the report.
func (w *world) resubmissions(r *reportJSON) map[string]int {
	w.t.Helper()
	all, sum := map[string]int{}, 0
	for _, row := range w.rows() {
		all[row.hash] += row.resubmissions
		sum += row.resubmissions
	}
	if r.Requests.Resubmissions != sum {
		w.t.Errorf("the report has %d resubmissions, the documents %d", r.Requests.Resubmissions, sum)
	}
	return all
}

// submissions returns what the database has for each hash.
func (w *world) submissions() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	for _, row := range w.rows() {
		all[row.hash] += row.number
	}
	return all
}

// checkSubmissions: so many submissions reached the service, and none was repeated.
func (w *world) checkSubmissions(want int) {
	w.t.Helper()
	r, _ := w.report()
	if n := w.api.Stats().Submissions; n != want || r.Requests.Resubmissions != 0 {
		w.t.Errorf("%d submissions, want %d; %d are reported as repeated", n, want, r.Requests.Resubmissions)
	}
}
