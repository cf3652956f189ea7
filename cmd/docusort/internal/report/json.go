package report

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
	"unicode"
	"unicode/utf16"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// writeJSON writes the report as one JSON object, in version 1 of the schema. Every
// group stands on a line of its own, and so does every document, for line tools.
func writeJSON(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	daemon, err := r.Daemon(ctx)
	if err != nil {
		return err
	}
	s, err := r.Summary(ctx, o.Filter)
	if err != nil {
		return err
	}
	var oldest *float64
	if !s.Oldest.IsZero() {
		oldest = seconds(o.Now.Sub(s.Oldest))
	}
	out := newObject(w)
	out.member("version", schemaVersion)
	out.member("generated_at", stamp(o.Now))
	out.member("since", stamp(o.Filter.Since))
	out.member("daemon", daemonOf(daemon))
	out.member("totals", totalsJSON(s.Totals))
	out.member("types", listOf(s.Types, typeOf))
	out.member("latency_seconds", latencyOf(s.Latency))
	out.member("oldest_unfinished_seconds", oldest)
	out.member("requests", requestsJSON(s.Requests))
	out.member("failures", listOf(s.Failures, reasonOf))
	out.member("stuck", listOf(s.Stuck, reasonOf))
	out.member("not_taken", listOf(wording.NotTaken(s.NotTaken, o.Now, o.Documents), notTakenOf))
	if o.Documents {
		before, end := ",\n \"documents\":[\n  ", ",\n \"documents\":[]"
		err := r.Documents(ctx, o.Filter, func(d *store.Document) error {
			out.value(before, documentOf(d))
			before, end = ",\n  ", "\n ]"
			return out.err
		})
		if err != nil {
			return err
		}
		out.w.WriteString(end)
	}
	out.w.WriteString("}\n")
	if out.err != nil {
		return out.err
	}
	return out.w.Flush()
}

// object writes a JSON object one member at a time. The first error sticks.
type object struct {
	w   *bufio.Writer
	enc *json.Encoder
	sep string
	err error
}

func newObject(w io.Writer) *object {
	o := &object{w: bufio.NewWriter(w), sep: "{"}
	o.enc = json.NewEncoder(visible{o.w})
	o.enc.SetEscapeHTML(false) // < and & are common in names, and this is no web page
	return o
}

func (o *object) member(name string, v any) {
	o.value(fmt.Sprintf("%s%q:", o.sep, name), v)
	o.sep = ",\n "
}

func (o *object) value(before string, v any) {
	if o.err == nil {
		o.w.WriteString(before)
		o.err = o.enc.Encode(v)
	}
}

// visible passes on a value without the line end that [json.Encoder] adds. It
// writes characters that a terminal obeys instead of showing, such as those that
// turn the direction of a line, as JSON escapes. The value stays the same.
type visible struct{ w *bufio.Writer }

func (v visible) Write(b []byte) (int, error) {
	var err error
	for _, r := range string(b[:len(b)-1]) {
		switch {
		case !hidden(r):
			_, err = v.w.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			_, err = fmt.Fprintf(v.w, `\u%04x\u%04x`, hi, lo)
		default:
			_, err = fmt.Fprintf(v.w, `\u%04x`, r)
		}
	}
	return len(b), err
}

func hidden(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) }

// schemaVersion changes when a field changes its meaning or goes away.
const schemaVersion = 1

// The types below are the schema, field by field and in order. No field is ever
// left out: a pointer is null where there is nothing to say.

type daemonJSON struct {
	Running   bool      `json:"running"`
	PID       *int      `json:"pid"`        // null: not running
	StartedAt *string   `json:"started_at"` // the last start; null: never
	Hold      *holdJSON `json:"hold"`
}

type holdJSON struct {
	Kind   store.HoldKind `json:"kind"`
	Reason textJSON       `json:"reason"`
	Since  *string        `json:"since"`
	Until  *string        `json:"until"`
}

// totalsJSON has every state, in the order of [store.States].
type totalsJSON map[store.State]int

func (t totalsJSON) MarshalJSON() ([]byte, error) {
	var b []byte
	for i, s := range store.States() {
		b = fmt.Appendf(b, "%c%q:%d", "{,"[min(i, 1)], s, t[s])
	}
	return append(b, '}'), nil
}

type typeJSON struct {
	Type           textJSON `json:"type"`
	Filed          int      `json:"filed"`
	Review         int      `json:"review"`
	MeanConfidence *float64 `json:"mean_confidence"` // null: persons decided otherwise about each
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

type reasonCountJSON struct {
	Reason textJSON `json:"reason"`
	Count  int      `json:"count"`
}

type notTakenJSON struct {
	Path   nameJSON `json:"path"` // relative to the inbox
	Reason string   `json:"reason"`
	Since  *string  `json:"since"`
}

type documentJSON struct {
	ID           int64       `json:"id"`
	Source       nameJSON    `json:"source"`
	Path         *nameJSON   `json:"path"`
	State        string      `json:"state"`
	Type         *textJSON   `json:"type"`
	Confidence   *float64    `json:"confidence"`
	JobID        *textJSON   `json:"job_id"`
	SHA256       *string     `json:"sha256"`
	Size         int64       `json:"size"`
	Attempts     int         `json:"attempts"`
	Polls        int         `json:"polls"`
	Error        *reasonJSON `json:"error"`
	DecidedBy    *string     `json:"decided_by"`
	DiscoveredAt *string     `json:"discovered_at"`
	SubmittedAt  *string     `json:"submitted_at"`
	IdentifiedAt *string     `json:"identified_at"`
	FinishedAt   *string     `json:"finished_at"`
}

// Text that somebody else chose. The JSON escapes what is not UTF-8, and keeps a
// name reversible; the CSV has its own way, see [documentJSON.row].
type (
	nameJSON   string // of a file
	textJSON   string // an answer of the service
	reasonJSON string // why a document failed or waits
)

func (n nameJSON) MarshalText() ([]byte, error)   { return []byte(display.Name(string(n))), nil }
func (t textJSON) MarshalText() ([]byte, error)   { return []byte(display.Text(string(t))), nil }
func (r reasonJSON) MarshalText() ([]byte, error) { return []byte(display.Text(string(r))), nil }

func daemonOf(d store.Daemon) daemonJSON {
	out := daemonJSON{Running: d.Running, StartedAt: stamp(d.StartedAt)}
	if d.Running && d.PID != 0 {
		out.PID = &d.PID // by now, a dead daemon's number may be another process's
	}
	if h := d.Hold; h != nil {
		out.Hold = &holdJSON{h.Kind, textJSON(h.Reason), stamp(h.Since), stamp(h.Until)}
	}
	return out
}

// listOf is never nil, which would be null.
func listOf[From, To any](list []From, of func(From) To) []To {
	out := make([]To, len(list))
	for i, one := range list {
		out[i] = of(one)
	}
	return out
}

func typeOf(t store.TypeCount) typeJSON {
	out := typeJSON{Type: textJSON(t.Type), Filed: t.Filed, Review: t.Review}
	if t.Rated > 0 {
		out.MeanConfidence = new(math.Round(t.MeanConfidence*1e6) / 1e6) // without the rounding errors of binary fractions
	}
	return out
}

func reasonOf(r store.Reason) reasonCountJSON { return reasonCountJSON{textJSON(r.Reason), r.Count} }

func notTakenOf(f store.NotTaken) notTakenJSON {
	return notTakenJSON{nameJSON(f.Path), f.Reason, stamp(f.Since)}
}

func latencyOf(l *store.Latency) latencyJSON {
	if l == nil {
		return latencyJSON{}
	}
	return latencyJSON{seconds(l.P50), seconds(l.P95), seconds(l.Max)}
}

func documentOf(d *store.Document) *documentJSON {
	out := &documentJSON{
		ID: d.ID, Source: nameJSON(d.Source), Path: orNull(nameJSON(wording.Path(d))), State: string(d.State),
		Type: orNull(textJSON(d.Type)), JobID: orNull(textJSON(d.JobID)), SHA256: orNull(hex.EncodeToString(d.SHA256)),
		Size: d.Identity.Size, Attempts: d.Attempts, Polls: d.Polls, Error: orNull(reasonJSON(d.Error)),
		DecidedBy: orNull(string(d.DecidedBy())), DiscoveredAt: stamp(d.DiscoveredAt), SubmittedAt: stamp(d.SubmittedAt),
		IdentifiedAt: stamp(d.IdentifiedAt), FinishedAt: stamp(d.FinishedAt),
	}
	if d.Rated() {
		out.Confidence = &d.Confidence
	}
	return out
}

func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(display.Stamp(t))
}

func seconds(d time.Duration) *float64 {
	return new(float64(max(0, d).Milliseconds()) / 1000)
}
