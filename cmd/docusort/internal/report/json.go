package report

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"docusort/store"
)

// JSON writes the report as one JSON object, in the schema of version 1. Every
// group stands on a line of its own, and so does every document, for those who
// look at it with line tools.
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
	out.member("totals", totalsOf(s.Totals))
	out.member("types", typesOf(s.Types))
	out.member("latency_seconds", latencyOf(s.Latency))
	out.member("oldest_unfinished_seconds", oldest)
	out.member("requests", requestsJSON(s.Requests))
	out.member("failures", failuresOf(s.Failures))
	if o.Documents {
		err := out.list("documents", func(add func(any) error) error {
			return r.Documents(ctx, o.Filter, func(d *store.Document) error { return add(documentOf(d)) })
		})
		if err != nil {
			return err
		}
	}
	return out.end()
}

// object writes a JSON object member by member. The first error sticks.
type object struct {
	w   *bufio.Writer
	sep string
	err error
	buf bytes.Buffer
	enc *json.Encoder
}

func newObject(w io.Writer) *object {
	o := &object{w: bufio.NewWriter(w), sep: "{"}
	o.enc = json.NewEncoder(&o.buf)
	o.enc.SetEscapeHTML(false) // < and & are common in names, and this is no web page
	return o
}

func (o *object) member(name string, value any) {
	fmt.Fprintf(o.w, "%s%q:", o.sep, name)
	o.sep = ",\n "
	o.value(value)
}

func (o *object) value(v any) {
	if o.err != nil {
		return
	}
	o.buf.Reset()
	if o.err = o.enc.Encode(v); o.err == nil {
		_, o.err = o.w.Write(visible(bytes.TrimSuffix(o.buf.Bytes(), []byte("\n"))))
	}
}

// list writes an array whose values each hands in one at a time.
func (o *object) list(name string, each func(add func(any) error) error) error {
	fmt.Fprintf(o.w, "%s%q:[", o.sep, name)
	sep, end := "\n  ", "]"
	err := each(func(v any) error {
		o.w.WriteString(sep)
		sep, end = ",\n  ", "\n ]"
		o.value(v)
		return o.err
	})
	o.w.WriteString(end)
	return err
}

func (o *object) end() error {
	o.w.WriteString("}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

// visible writes characters that a terminal obeys instead of showing, such as
// those that turn the direction of a line, as the escapes that JSON has for
// them. The value stays the same.
func visible(b []byte) []byte {
	if !bytes.ContainsFunc(b, hidden) {
		return b
	}
	out := make([]byte, 0, len(b)+32)
	for _, r := range string(b) {
		switch {
		case !hidden(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func hidden(r rune) bool { return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) }
