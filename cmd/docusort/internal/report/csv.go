package report

import (
	"context"
	"encoding/csv"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// field is one column of the CSV: a field of [documentJSON], under its name.
type field struct {
	name string
	cell func(*store.Document, *documentJSON) string
}

var fields = []field{
	{"id", func(d *store.Document, _ *documentJSON) string { return strconv.FormatInt(d.ID, 10) }},
	{"source", func(d *store.Document, _ *documentJSON) string { return named(d.Source) }},
	{"path", func(d *store.Document, _ *documentJSON) string {
		if !moved(d) {
			return ""
		}
		return named(filepath.Join(d.Sorted, d.Target))
	}},
	{"state", func(d *store.Document, _ *documentJSON) string { return string(d.State) }},
	{"type", func(d *store.Document, _ *documentJSON) string { return named(d.Type) }},
	{"confidence", func(_ *store.Document, j *documentJSON) string {
		if j.Confidence == nil {
			return ""
		}
		return strconv.FormatFloat(*j.Confidence, 'g', -1, 64)
	}},
	{"job_id", func(d *store.Document, _ *documentJSON) string { return named(d.JobID) }},
	{"sha256", func(_ *store.Document, j *documentJSON) string { return orEmpty(j.SHA256) }},
	{"size", func(d *store.Document, _ *documentJSON) string { return strconv.FormatInt(d.Identity.Size, 10) }},
	{"attempts", func(d *store.Document, _ *documentJSON) string { return strconv.Itoa(d.Attempts) }},
	{"polls", func(d *store.Document, _ *documentJSON) string { return strconv.Itoa(d.Polls) }},
	{"error", func(d *store.Document, _ *documentJSON) string { return harmless(display.Prose(d.Error)) }},
	{"discovered_at", func(_ *store.Document, j *documentJSON) string { return orEmpty(j.DiscoveredAt) }},
	{"submitted_at", func(_ *store.Document, j *documentJSON) string { return orEmpty(j.SubmittedAt) }},
	{"identified_at", func(_ *store.Document, j *documentJSON) string { return orEmpty(j.IdentifiedAt) }},
	{"finished_at", func(_ *store.Document, j *documentJSON) string { return orEmpty(j.FinishedAt) }},
}

// CSV writes the documents, whether o.Documents says so or not, as RFC 4180 has
// it: a header with the names of the JSON's fields, then a row for each, empty
// where the JSON is null. A row is one line whatever the names hold, because
// what would break it is escaped in the notation of package display.
func CSV(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	row := make([]string, len(fields))
	for i, f := range fields {
		row[i] = f.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	err := r.Documents(ctx, o.Filter, func(d *store.Document) error {
		doc := documentOf(d)
		for i, f := range fields {
			row[i] = f.cell(d, &doc)
		}
		return out.Write(row)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// named is a cell whose text somebody else chose.
func named(s string) string { return harmless(display.Line(s)) }

// harmless keeps a spreadsheet from taking a text for a formula and computing
// it: one that could begin one is written after an apostrophe, and so is one
// that begins with an apostrophe. Whoever removes one apostrophe from the front
// has the text again, in every case. The wide forms count because spreadsheets
// in East Asian languages read them as the narrow ones.
func harmless(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000"))
	if s != "" && strings.ContainsRune("=+-@'＝＋－＠", first) {
		return "'" + s
	}
	return s
}
