package report

import (
	"fmt"
	"testing"
	"time"

	"docusort/store"
)

// TestNotTaken: what lies in the inbox for more than a minute is in every report for people
// and in the JSON, also where there is no document; with the documents, all of it is.
func TestNotTaken(t *testing.T) {
	record(t, func(f *fixture) {
		now := time.Now()
		f.ok(f.s.SetNotTaken(f.ctx, []store.NotTaken{
			{Path: "scan\xff.pdf", Reason: "being written", Since: now}, {Path: "young.pdf", Reason: "cut short", Since: now.Add(time.Minute)},
		}))
		f.pass(time.Minute)
		for _, render := range []renderer{writeTable, writeJSON, writeHTML} {
			text := f.render(render, Options{})
			f.says(text, "being written", "scan")
			f.saysNot(text, "young.pdf", "nothing to report")
			f.says(f.render(render, Options{Documents: true}), "young.pdf", "cut short")
		}
		f.says(f.render(writeJSON, Options{}), `"not_taken":[{"path":"scan\\xff.pdf","reason":"being written","since":"2000-01-01T00:00:00.000Z"}]`)
		f.ok(f.s.Started(f.ctx, 1))
		f.says(f.render(writeJSON, Options{}), `"not_taken":[]`)
	})
}

func TestManyNotTaken(t *testing.T) {
	record(t, func(f *fixture) {
		var files []store.NotTaken
		for i := range 30 {
			files = append(files, store.NotTaken{Path: fmt.Sprintf("%02d.pdf", i), Reason: "too many", Since: time.Now()})
		}
		f.ok(f.s.SetNotTaken(f.ctx, files))
		f.pass(time.Hour)
		text := f.render(writeTable, Options{Width: 80})
		f.says(text, "  60 min  too many  09.pdf\n  and 20 more files; docusort report --documents lists all\n")
		f.saysNot(text, "10.pdf")
		f.says(f.render(writeTable, Options{}), "29.pdf\n")
		f.says(f.render(writeTable, Options{Width: 80, Documents: true}), "29.pdf\n")
	})
}
