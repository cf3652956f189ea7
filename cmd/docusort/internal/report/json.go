package report

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"

	"docusort/store"
)

// JSON writes the report as one JSON object, in version 1 of the schema. Every
// group stands on a line of its own, and so does every document, for line tools.
func JSON(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	now := o.now()
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
		oldest = seconds(now.Sub(s.Oldest))
	}
	out := newObject(w)
	out.member("version", schemaVersion)
	out.member("generated_at", stamp(now))
	out.member("since", stamp(o.Filter.Since))
	out.member("daemon", daemonOf(daemon))
	out.member("totals", totalsJSON(s.Totals))
	out.member("types", typesOf(s.Types))
	out.member("latency_seconds", latencyOf(s.Latency))
	out.member("oldest_unfinished_seconds", oldest)
	out.member("requests", requestsJSON(s.Requests))
	out.member("failures", failuresOf(s.Failures))
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
