package report

import (
	"encoding/hex"
	"math"
	"path/filepath"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// schemaVersion changes when a field changes its meaning or goes away.
const schemaVersion = 1

// The types below are the schema, field for field and in order. Pointers are
// null where there is nothing to say; no field is ever left out.

type daemonJSON struct {
	Running   bool      `json:"running"`
	PID       *int      `json:"pid"`        // null: does not run
	StartedAt *string   `json:"started_at"` // of the last start; null: there was none
	Hold      *holdJSON `json:"hold"`
}

type holdJSON struct {
	Kind   string  `json:"kind"`
	Reason string  `json:"reason"`
	Since  *string `json:"since"`
	Until  *string `json:"until"`
}

type totalsJSON struct {
	Waiting    int `json:"waiting"`
	Submitting int `json:"submitting"`
	Pending    int `json:"pending"`
	Identified int `json:"identified"`
	Filed      int `json:"filed"`
	Review     int `json:"review"`
	Failed     int `json:"failed"`
	Gone       int `json:"gone"`
}

type typeJSON struct {
	Type           string  `json:"type"`
	Filed          int     `json:"filed"`
	Review         int     `json:"review"`
	MeanConfidence float64 `json:"mean_confidence"`
}

type latencyJSON struct {
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
	Max *float64 `json:"max"`
}

type requestsJSON struct {
	Submissions   int `json:"submissions"`
	Polls         int `json:"polls"`
	Reused        int `json:"reused"`
	Resubmissions int `json:"resubmissions"`
}

type failureJSON struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

type documentJSON struct {
	ID           int64    `json:"id"`
	Source       string   `json:"source"`
	Path         *string  `json:"path"`
	State        string   `json:"state"`
	Type         *string  `json:"type"`
	Confidence   *float64 `json:"confidence"`
	JobID        *string  `json:"job_id"`
	SHA256       *string  `json:"sha256"`
	Size         int64    `json:"size"`
	Attempts     int      `json:"attempts"`
	Polls        int      `json:"polls"`
	Error        *string  `json:"error"`
	DiscoveredAt *string  `json:"discovered_at"`
	SubmittedAt  *string  `json:"submitted_at"`
	IdentifiedAt *string  `json:"identified_at"`
	FinishedAt   *string  `json:"finished_at"`
}

func daemonOf(d store.Daemon) daemonJSON {
	out := daemonJSON{Running: d.Running, StartedAt: stamp(d.StartedAt)}
	if d.Running && d.PID != 0 {
		out.PID = &d.PID // that of a dead daemon may be another process by now
	}
	if d.Hold != nil {
		out.Hold = &holdJSON{
			Kind: string(d.Hold.Kind), Reason: display.Text(d.Hold.Reason),
			Since: stamp(d.Hold.Since), Until: stamp(d.Hold.Until),
		}
	}
	return out
}

func totalsOf(t map[store.State]int) totalsJSON {
	return totalsJSON{
		Waiting: t[store.Waiting], Submitting: t[store.Submitting], Pending: t[store.Pending],
		Identified: t[store.Identified], Filed: t[store.Filed], Review: t[store.Review],
		Failed: t[store.Failed], Gone: t[store.Gone],
	}
}

func typesOf(types []store.TypeCount) []typeJSON {
	out := make([]typeJSON, 0, len(types)) // never nil, which would be null
	for _, t := range types {
		// The mean of decimal numbers, without the dust of binary ones.
		mean := math.Round(t.MeanConfidence*1e6) / 1e6
		out = append(out, typeJSON{display.Text(t.Type), t.Filed, t.Review, mean})
	}
	return out
}

func latencyOf(l *store.Latency) latencyJSON {
	if l == nil {
		return latencyJSON{}
	}
	return latencyJSON{seconds(l.P50), seconds(l.P95), seconds(l.Max)}
}

func failuresOf(reasons []store.Reason) []failureJSON {
	out := make([]failureJSON, 0, len(reasons))
	for _, r := range reasons {
		out = append(out, failureJSON{display.Text(r.Reason), r.Count})
	}
	return out
}

func documentOf(d *store.Document) documentJSON {
	out := documentJSON{
		ID: d.ID, Source: display.Name(d.Source), State: string(d.State),
		Type: textOrNull(d.Type), JobID: textOrNull(d.JobID), Size: d.Identity.Size,
		Attempts: d.Attempts, Polls: d.Polls, Error: textOrNull(d.Error),
		DiscoveredAt: stamp(d.DiscoveredAt), SubmittedAt: stamp(d.SubmittedAt),
		IdentifiedAt: stamp(d.IdentifiedAt), FinishedAt: stamp(d.FinishedAt),
	}
	if moved(d) {
		path := display.Name(filepath.Join(d.Sorted, d.Target))
		out.Path = &path
	}
	if d.Type != "" {
		out.Confidence = &d.Confidence
	}
	if d.SHA256 != nil {
		sum := hex.EncodeToString(d.SHA256)
		out.SHA256 = &sum
	}
	return out
}

// moved says whether the document lies at its target. A target alone does not
// say so, because it is stored before the move; one that is gone has none.
func moved(d *store.Document) bool { return d.Target != "" && d.State.Finished() }

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	s = display.Text(s)
	return &s
}

// stamp writes a time as RFC 3339 in UTC with exactly three decimals, so that
// stamps sort as text.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05.000Z")
	return &s
}

func seconds(d time.Duration) *float64 {
	s := float64(max(0, d).Milliseconds()) / 1000
	return &s
}
