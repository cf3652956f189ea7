package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reportDocument is a document in the report, as a program outside reads it.
type reportDocument struct {
	ID                        int64
	Source, State             string
	Path, Type, SHA256, Error *string
	JobID                     *string `json:"job_id"`
	Confidence                *float64
	Size                      int64
	Attempts, Polls           int
}

func (d *reportDocument) hash() string {
	if d.SHA256 == nil {
		return ""
	}
	return *d.SHA256
}

// reportJSON is the report as a program outside reads it.
type reportJSON struct {
	Version int
	Daemon  struct {
		Running bool
		PID     *int
		Hold    *struct {
			Kind, Reason string
			Until        *string
		}
	}
	Totals map[string]int
	Types  []struct {
		Type          string
		Filed, Review int
	}
	Requests struct{ Submissions, Polls, Reused, Resubmissions int }
	Failures []struct {
		Reason string
		Count  int
	}
	Documents []reportDocument
}

func (r *reportJSON) unfinished() int {
	return r.Totals["waiting"] + r.Totals["submitting"] + r.Totals["pending"] + r.Totals["identified"]
}

func (r *reportJSON) onHold(kind string) bool {
	return r.Daemon.Hold != nil && r.Daemon.Hold.Kind == kind
}

// report reads the report; ok is false while there is no database yet.
func (w *world) report() (r reportJSON, ok bool) {
	w.t.Helper()
	got := w.run("report", "--format", "json", "--documents")
	if got.code == exitFailed && strings.Contains(got.stderr, "no database yet") {
		return r, false
	}
	got.check(w.t, exitDone)
	noErr(w.t, json.Unmarshal([]byte(got.stdout), &r))
	return r, true
}

type totals map[string]int

// checkTotals compares the totals that are not zero.
func (r *reportJSON) checkTotals(t *testing.T, want totals) {
	t.Helper()
	got := totals{}
	for state, n := range r.Totals {
		if n != 0 {
			got[state] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
}
