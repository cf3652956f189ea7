package report

import (
	"strings"
	"testing"

	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// Who is to decide sees where the document is, what the service considered, the likeliest
// first, and the command.
func TestReviewShowsHowToDecide(t *testing.T) {
	record(t, func(f *fixture) {
		unsure := f.pend("a/scan.pdf")
		f.ok(f.s.Identified(f.ctx, unsure, store.Answer{Type: "nota de crédito", Confidence: 0.45, Outcome: store.Review,
			Alternatives: []byte(`[{"code":"invoice","confidence":0.4},{"code":"nota de crédito","confidence":0.45},{"code":"\u001b[2J","confidence":0.1}]`)}))
		f.move(unsure, "_review/nota de crédito/scan.pdf")
		f.move(f.identify("b.pdf", "receipt", 0.3, store.Review), "_review/receipt/b.pdf")
		f.file("c.pdf", "invoice", 0.99)
		o := Options{Filter: store.Filter{State: store.Review}, Source: settings.Source{Instance: "scans"}}
		text := f.render(writeTable, o)
		f.says(text, "\nIn review\n  1  "+sortedRoot+"/_review/nota de crédito/scan.pdf\n",
			"      nota de crédito 0.45, invoice 0.40, \\x1b[2J 0.10\n", "      docusort --instance scans refile 1 'nota de crédito'\n",
			"      receipt 0.30\n      docusort --instance scans refile 2 receipt\n")
		f.saysNot(text, "c.pdf", "refile ID")
		f.says(f.render(writeTable, Options{}), "refile ID TYPE")
		o.Documents = true
		text = f.render(writeHTML, o)
		f.says(text, "considered: <bdi>nota de crédito 0.45, invoice 0.40, ", "<code>docusort --instance scans refile 2 receipt</code>")
		if n := strings.Count(text, "considered:"); n != 2 {
			t.Errorf("%d documents are to be decided about", n)
		}
	})
}

// Where a document that is listed lies in another sorted folder than the settings name, the
// report says what to do if it was moved.
func TestReportOfAnotherSortedFolder(t *testing.T) {
	record(t, func(f *fixture) {
		f.file("a.pdf", "invoice", 0.99)
		f.move(f.identify("b.pdf", "receipt", 0.3, store.Review), "_review/receipt/b.pdf")
		o := Options{Source: settings.Source{Instance: "scans"}, Sorted: "/mnt/sorted"}
		const hint = "\nSome of these were filed in " + sortedRoot + ". If that folder was moved to /mnt/sorted, where the settings have it, " +
			"run docusort --instance scans relocate.\n"
		f.saysNot(f.render(writeTable, o), "relocate")
		for _, o.Filter.State = range []store.State{store.Review, store.Filed} {
			o.Documents = o.Filter.State == store.Filed
			f.says(f.render(writeTable, o), hint)
		}
		o.Sorted = sortedRoot
		f.saysNot(f.render(writeTable, o), "relocate")
	})
}
