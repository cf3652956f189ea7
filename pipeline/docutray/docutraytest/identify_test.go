package docutraytest

import (
	"fmt"
	"io/fs"
	"testing"

	"docusort/testdata"
)

func TestRules(t *testing.T) {
	all := []string{"invoice", "receipt", "contract", "letter", "purchase_order"}
	for text, want := range map[string]string{
		"INVOICE. Bill to: A. Amount due: 5":  "invoice",
		"Factura nr 7":                        "invoice",
		"Receipt. Total paid 5. Change due 0": "receipt",
		"RECIBO":                              "receipt",
		"This Agreement between the parties, hereinafter A and B": "contract",
		"Contrato":                        "contract",
		"Dear Sir, sincerely":             "letter",
		"Invoice, see our receipt":        "invoice", // the heading decides
		"Purchase order 5. Deliver to: A": "purchase_order",
		"A map of the harbour":            "other",
		"":                                "other",
	} {
		r := identify([]byte(text), all)
		if r.Type.Code != want || len(r.Alternatives) != 6 || r.Alternatives[0] != r.Type {
			t.Errorf("%q: %+v, want %s", text, r, want)
		}
		sum := 0.0
		for i, a := range r.Alternatives {
			sum += a.Confidence
			if i > 1 && a.Confidence > r.Alternatives[i-1].Confidence {
				t.Errorf("%q: alternatives out of order: %+v", text, r.Alternatives)
			}
		}
		if sum > 1.03 || r.Type.Confidence <= 0 || r.Type.Confidence > 1 {
			t.Errorf("%q: %+v", text, r)
		}
	}
	// Only options and the catch-all are answered.
	if r := identify([]byte("Invoice"), []string{"receipt"}); r.Type.Code != "other" {
		t.Errorf("%+v", r)
	}
	// A clear document gets more confidence than a mixed one.
	clear, mixed := identify([]byte("Invoice, bill to"), all), identify([]byte("Invoice, bill to, receipt"), all)
	if clear.Type.Confidence <= mixed.Type.Confidence || mixed.Type.Code != "invoice" {
		t.Errorf("%+v %+v", clear, mixed)
	}
	// A code without keywords is found by its own words.
	if r := identify([]byte("Boarding pass 12A"), []string{"boarding_pass"}); r.Type.Code != "boarding_pass" {
		t.Errorf("%+v", r)
	}
}

// TestSamples: the stand-in recognises the samples of the repository, under
// misleading names.
func TestSamples(t *testing.T) {
	want := testdata.Types()
	s := New(Options{})
	n := 0
	err := fs.WalkDir(testdata.Inbox(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		doc, err := fs.ReadFile(testdata.Inbox(), path)
		if err != nil {
			return err
		}
		f := newForm()
		f.fields = [][2]string{{"document_type_code_options", fmt.Sprintf("[%q,%q,%q]", testdata.Options()[0], testdata.Options()[1], testdata.Options()[2])}}
		f.filename, f.file, f.contentType = "receipt invoice contract", string(doc), formatOf(doc)
		u, _ := s.Upload(submit(t, s, f))
		if u.Result.Type.Code != want[path] {
			t.Errorf("%q: %+v, want %s", path, u.Result, want[path])
		}
		return nil
	})
	if err != nil || n != len(want) || n == 0 {
		t.Errorf("%d samples, %v", n, err)
	}
}
