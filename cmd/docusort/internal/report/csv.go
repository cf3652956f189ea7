package report

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// writeCSV writes the documents, whatever o.Documents says, as in RFC 4180: a header
// with the names of the JSON's fields, then a row for each document, empty where
// the JSON is null. A row is one line whatever the names hold: package display
// escapes what would break it.
func writeCSV(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var head []string
	for f := range reflect.TypeFor[documentJSON]().Fields() {
		head = append(head, f.Tag.Get("json"))
	}
	if err := out.Write(head); err != nil {
		return err
	}
	err := r.Documents(ctx, o.Filter, func(d *store.Document) error { return out.Write(documentOf(d).row()) })
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func (d *documentJSON) row() []string {
	var row []string
	for _, v := range reflect.ValueOf(d).Elem().Fields() {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		row = append(row, cell(v))
	}
	return row
}

func cell(v reflect.Value) string {
	if !v.IsValid() { // null
		return ""
	}
	switch v.Interface().(type) {
	case nameJSON, textJSON:
		return harmless(display.Line(v.String()))
	case reasonJSON:
		return harmless(display.Prose(v.String()))
	}
	return fmt.Sprint(v)
}

// harmless keeps a spreadsheet from computing a text as a formula: it puts an
// apostrophe before a text that could begin one, and before one that begins with
// an apostrophe, so that removing one from the front always gives the text back.
// Spreadsheets in East Asian languages read the wide forms as the narrow ones.
func harmless(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000"))
	if s != "" && strings.ContainsRune("=+-@'＝＋－＠", first) {
		return "'" + s
	}
	return s
}
