package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// awkwardNames are names that a program may stumble over.
var awkwardNames = []string{
	strings.Repeat("n", 255), strings.Repeat("n", 251) + ".pdf", strings.Repeat("ü", 125) + "x.pdf",
	strings.Repeat("\xff", 255), "x." + strings.Repeat("e", 253), strings.Repeat("n", 250) + ".json",
	"\xff\xfe.pdf", "half a rune \xe2\x82.pdf", "line\nbreak.pdf", "carriage\rreturn.pdf", "tab\t.pdf", "bell\a\x1b[2J.pdf",
	"delete\x7f.pdf", "next line\u0085.pdf", "paragraph\u2029.pdf", "exe\u202efdp.pdf", "isolate\u2066x\u2069.pdf",
	"zero\u200bwidth.pdf", "\ufeff.pdf", "-rf", "--help.pdf", `"quoted".pdf`, "it's.pdf", "`id`.pdf", "$(id).pdf",
	`back\slash.pdf`, "a;b&c|d.pdf", "*.pdf", "?", "[a].pdf", "%s%d%n.pdf", " leading.pdf", "trailing ", "dots...", "...pdf~1",
	"_failed", "_review", "con", "scan.pdf.json", "scan.error.json", "<b>&amp;</b>.pdf", "=cmd()", "日本語.pdf", "e\u0301.pdf", "é.pdf",
	"🧾.pdf", "a\u0338.pdf", "\U0010ffff.pdf",
}

// TestAwkwardNames: any name is kept, also twice in one folder and in every outcome, and
// breaks no line of the report and the log.
func TestAwkwardNames(t *testing.T) {
	for _, sidecar := range []string{"false", "true"} {
		t.Run("sidecar "+sidecar, func(t *testing.T) {
			w := newWorld(t)
			w.review(0.7)
			w.settings["DOCUSORT_SIDECAR"] = sidecar
			w.settings["DOCUSORT_IGNORE"] = "nothing is ignored"
			for i, name := range awkwardNames {
				w.drop(name, pdf(invoice, fmt.Sprint("one ", i)))
				w.drop(filepath.Join("again", name), pdf(invoice, fmt.Sprint("two ", i)))
				if i%5 == 0 || len(name) >= 250 {
					w.drop(filepath.Join("text", name), noDocument(fmt.Sprint("one ", i)))
					w.drop(filepath.Join("text", "again", name), noDocument(fmt.Sprint("two ", i)))
					w.drop(filepath.Join("doubt", name), pdf(doubtful, fmt.Sprint("one ", i)))
				}
			}
			w.runToEnd()
			for _, format := range []string{"table", "json"} {
				got := w.run("report", "--documents", "--format", format)
				w.checkPlain("report "+format, got.stdout+got.stderr)
			}
			for _, c := range w.children {
				w.checkPlain("the log", c.stderr.String())
			}
			w.checkLogLines(len(w.dropped))
		})
	}
}

// checkPlain: a text has no characters that a terminal would act on.
func (w *world) checkPlain(what, text string) {
	w.t.Helper()
	if !utf8.ValidString(text) {
		w.t.Errorf("%s is not UTF-8", what)
	}
	for i, r := range text {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			w.t.Errorf("%s has %U in %q", what, r, text[max(0, i-40):min(len(text), i+40)])
			return
		}
	}
}

// checkLogLines: each line of the log is one event.
func (w *world) checkLogLines(documents int) {
	w.t.Helper()
	for _, c := range w.children {
		text := c.stderr.String()
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "time=") {
				w.t.Errorf("a line of the log is %q", line)
			}
		}
		if n := strings.Count(text, logAdmitted) + strings.Count(text, logNotAdmitted); n < documents {
			w.t.Errorf("%d of %d documents are in the log", n, documents)
		}
	}
}

// TestHardLinks: two names of one file are two documents with one answer, and a
// name outside of the inbox stays what it is.
func TestHardLinks(t *testing.T) {
	for _, place := range movings {
		t.Run(place.name, func(t *testing.T) {
			w := newWorld(t)
			w.moveFar(place.far)
			content := pdf(invoice, "one of several names")
			w.drop("scan.pdf", content)
			file := filepath.Join(w.inbox, "scan.pdf")
			info, err := os.Stat(file)
			noErr(t, err)
			for i := range 4 {
				name := fmt.Sprintf("%d/scan.pdf", i)
				noErr(t, os.Mkdir(filepath.Join(w.inbox, fmt.Sprint(i)), 0o755))
				noErr(t, os.Link(file, filepath.Join(w.inbox, name)))
				w.record(content, info)
			}
			outside := filepath.Join(w.dir, "outside.pdf")
			noErr(t, os.Link(file, outside))
			r := w.runToEnd()
			r.checkTotals(t, totals{"filed": 5})
			w.checkSubmissions(1)
			if got, err := os.ReadFile(outside); err != nil || string(got) != string(content) {
				t.Errorf("the name outside: %q, %v", got, err)
			}
		})
	}
}
