package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if that is meant, run the test with -update. Got:\n%s", path, got)
	}
}

func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		render renderer
		o      Options
	}{
		"table-piped.golden":    {writeTable, Options{Documents: true}},
		"table-120.golden":      {writeTable, Options{Documents: true, Width: 120}},
		"table-80.golden":       {writeTable, Options{Documents: true, Width: 80}},
		"table-40.golden":       {writeTable, Options{Documents: true, Width: 40}},
		"table-color.golden":    {writeTable, Options{Documents: true, Width: 80, Color: true}},
		"table-short.golden":    {writeTable, Options{Width: 80}},
		"documents.json.golden": {writeJSON, Options{Documents: true}},
		"short.json.golden":     {writeJSON, Options{}},
		"documents.csv.golden":  {writeCSV, Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			record(t, func(f *fixture) {
				f.fill()
				f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldAccount, Reason: "402: quota used up",
					Since: time.Now(), Until: time.Now().Add(29 * 24 * time.Hour)}))
				f.pass(90 * time.Second) // so that the polls are stored, too
				golden(f.t, name, f.render(c.render, c.o))
			})
		})
	}
}

func TestEveryWidthIsKept(t *testing.T) {
	record(t, func(f *fixture) {
		f.fill()
		f.crowd(40)
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldDisk, Since: time.Now(), Reason: "no space left on device"}))
		for _, width := range []int{40, 60, 79, 80, 100, 120, 200} {
			text := f.render(writeTable, Options{Documents: true, Width: width})
			for line := range strings.Lines(text) {
				if got := display.Width(strings.TrimSuffix(line, "\n")); got > width {
					t.Errorf("%d columns, in a terminal of %d: %q", got, width, line)
				}
			}
			if i := strings.IndexFunc(strings.ReplaceAll(text, "\n", ""), hidden); i >= 0 {
				t.Errorf("in %d columns there is something that a terminal obeys:\n%q", width, text)
			}
			painted := f.render(writeTable, Options{Documents: true, Width: width, Color: true})
			if sgr.ReplaceAllString(painted, "") != text {
				t.Errorf("colours change the text, in %d columns", width)
			}
		}
	})
}

func TestNothingIsCutWhenPiped(t *testing.T) {
	record(t, func(f *fixture) {
		f.ok(f.s.Started(f.ctx, 1))
		source := strings.Repeat("long ", 60) + "name.pdf"
		reason := strings.Repeat("very ", 60) + "bad"
		f.fail(source, reason)
		text := f.render(writeTable, Options{Documents: true})
		f.says(text, "  1  "+reason+"\n", source+" → "+sortedRoot+"/_failed/"+source+"  "+reason+"\n")
	})
}

func TestHeadline(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*fixture)
		want []string
	}{
		"never": {func(f *fixture) { f.ok(f.s.Close()) }, []string{"○ docusort is not running and has never run",
			"There is nothing to report yet. Drop a document into the inbox, and it shows up here."}},
		"running": {func(f *fixture) {
			f.ok(f.s.Started(f.ctx, 4711))
			f.pass(3 * time.Minute)
		}, []string{"● docusort has been running since 00:00 (3 min ago), pid 4711"}},
		"stopped": {func(f *fixture) {
			f.ok(f.s.Started(f.ctx, 4711))
			f.drop("a.pdf")
			f.ok(f.s.Stopped(f.ctx))
			f.pass(3 * time.Hour)
			f.ok(f.s.Close())
		}, []string{"○ docusort is not running: it stopped at 00:00 (3 h ago)",
			"the oldest  first seen at 00:00 (3 h ago); work continues when docusort starts again"}},
		"killed": {func(f *fixture) {
			f.ok(f.s.Started(f.ctx, 4711))
			f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldDisk, Reason: "full", Since: time.Now()}))
			f.ok(f.s.Close())
		}, []string{"✗ docusort is not running: it was killed or lost power some time after it started at 00:00 (0 s ago)"}},
		"rate": {func(f *fixture) {
			f.ok(f.s.Started(f.ctx, 4711))
			f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldRate, Reason: "60 requests a minute\x1b[2J\nare too many",
				Since: time.Now(), Until: time.Now().Add(12 * time.Second)}))
		}, []string{"✗ on hold (rate) since 00:00 (0 s ago), until 00:00 (in 12 s)\n  60 requests a minute\\x1b[2J are too many\n" +
			"  The service asked for a pause"}},
	} {
		t.Run(name, func(t *testing.T) {
			record(t, func(f *fixture) {
				c.do(f)
				text := f.render(writeTable, Options{})
				f.says(text, c.want...)
				if name == "killed" {
					f.saysNot(text, "on hold")
				}
			})
		})
	}
}

func TestFilter(t *testing.T) {
	record(t, func(f *fixture) {
		f.fail("old.docx", "unsupported format")
		f.pass(48 * time.Hour)
		f.file("new.pdf", "invoice", 1)
		f.file("other.pdf", "receipt", 1)
		text := f.render(writeTable, Options{Documents: true, Filter: store.Filter{
			Since: time.Now().Add(-24 * time.Hour), Type: "invoice", State: store.Filed}})
		f.says(text, "Only documents unfinished or finished since 2000-01-02 00:00 (24 h ago), in state filed, of type invoice\n", "new.pdf")
		f.saysNot(text, "old.docx", "other.pdf")
		text = f.render(writeTable, Options{Filter: store.Filter{Type: "x\x1b[2J"}})
		f.says(text, `Only documents of type x\x1b[2J`, "No document matches.")
	})
}

func TestTargetsAreAbsoluteWhereTheFolderWasChanged(t *testing.T) {
	record(t, func(f *fixture) {
		f.file("a.pdf", "invoice", 1)
		o := Options{Documents: true, Width: 120}
		f.says(f.render(writeTable, o), "filed below "+sortedRoot+"\n", "a.pdf → invoice/\n")
		id := f.identify("b.pdf", "invoice", 1, store.Filed)
		_, err := f.s.Target(f.ctx, []store.Targeted{{ID: id, Sorted: store.Folder{Path: "/elsewhere"}, Target: "invoice/b.pdf"}})
		f.ok(err)
		f.moved(id)
		f.says(f.render(writeTable, o),
			"\nDocuments\n", "a.pdf → "+sortedRoot+"/invoice/a.pdf\n", "b.pdf → /elsewhere/invoice/b.pdf\n")
	})
}

func TestManyReasons(t *testing.T) {
	record(t, func(f *fixture) {
		for i := range 12 {
			for range 12 - i {
				f.fail("x.docx", "reason "+string(rune('a'+i)))
			}
		}
		text := f.render(writeTable, Options{Width: 80})
		f.says(text, "   3  reason j\n   3  for other reasons\n") // ten, and the count of the rest
		text = f.render(writeTable, Options{})
		f.says(text, "1  reason l\n")
		f.saysNot(text, "other reasons")
	})
}

func TestTimesAreThoseOfTheReader(t *testing.T) {
	record(t, func(f *fixture) {
		f.ok(f.s.Started(f.ctx, 1))
		o := Options{Now: time.Now().In(time.FixedZone("CET", 60*60))}
		f.says(f.render(writeTable, o), "since 01:00 (0 s ago)") // in the zone of Now
		if e := decode(f.t, f.render(writeJSON, o)); *e.GeneratedAt != "2000-01-01T00:00:00.000Z" {
			t.Errorf("generated_at is %s, want it in UTC", *e.GeneratedAt)
		}
	})
}
