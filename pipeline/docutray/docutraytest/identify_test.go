package docutraytest

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"docusort/testdata"
)

func deflate(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func stream(dict, content string) string {
	return "%PDF-1.4\n1 0 obj\n<< " + dict + " /Length 1 >>\nstream\r\n" + content + "\nendstream\nendobj\n%%EOF\n"
}

func chunk(kind, data string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)))) + kind + data + "crc!"
}

func riff(kind, data string) string {
	return kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data + strings.Repeat("\x00", len(data)%2)
}

const png = "\x89PNG\r\n\x1a\n"

func TestText(t *testing.T) {
	a85 := make([]byte, 200)
	a85 = a85[:ascii85.Encode(a85, []byte("(Total paid) Tj"))]
	bmp := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(bmp[10:], 54)
	binary.LittleEndian.PutUint32(bmp[18:], 2)
	binary.LittleEndian.PutUint32(bmp[22:], 0xffffffff) // one row, downwards
	binary.LittleEndian.PutUint16(bmp[28:], 24)
	for name, c := range map[string]struct{ doc, want string }{
		"literal":       {stream("", `BT (Total \(paid\)) Tj ET`), "Total (paid)"},
		"escapes":       {stream("", "(Tot\\141l\\040pa\\\nid) Tj"), "Total paid"},
		"nested":        {stream("", "(a (b) c) '"), "a (b) c"},
		"array":         {stream("", "[(Tot) 20 (al) -300 (pa) (id)] TJ"), "Total paid"},
		"hexadecimal":   {stream("", "<546F74616C 20706169 64> Tj"), "Total paid"},
		"two bytes":     {stream("", "<0054006F> Tj"), "To"},
		"flate":         {stream("/Filter /FlateDecode", deflate("(Total paid) Tj")), "Total paid"},
		"ascii85":       {stream("/Filter [/ASCII85Decode]", string(a85)+"~>"), "Total paid"},
		"not shown":     {stream("", "(hidden) BDC /F1 12 Tf (shown) Tj"), "shown"},
		"comment":       {stream("", "% (no) Tj\n(yes) Tj"), "yes"},
		"picture":       {stream("/Subtype /Image", "(no) Tj"), ""},
		"cut":           {"%PDF-1.4 stream\n(Total paid) Tj (and", "Total paid"},
		"tEXt":          {png + chunk("tEXt", "Comment\x00Total paid"), "Total paid"},
		"zTXt":          {png + chunk("zTXt", "Comment\x00\x00"+deflate("Total paid")), "Total paid"},
		"iTXt":          {png + chunk("iTXt", "C\x00\x00\x00en\x00C\x00Total paid"), "Total paid"},
		"iTXt deflated": {png + chunk("iTXt", "C\x00\x01\x00en\x00C\x00"+deflate("Total paid")), "Total paid"},
		"COM":           {"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xfe\x00\x0cTotal paid\xff\xda", "Total paid"},
		"GIF":           {"GIF89a\x01\x00\x01\x00\x80\x00\x00rgbrgb\x21\xf9\x01x\x00\x21\xfe\x05Total\x05 paid\x00;", "Total paid"},
		"WebP XMP":      {"RIFF....WEBP" + riff("VP8 ", "abc") + riff("XMP ", "Total paid"), "Total paid"},
		"BMP":           {string(bmp) + "12345678" + "Total paid", "Total paid"},
	} {
		got := strings.Join(strings.Fields(textOf([]byte(c.doc), formatOf([]byte(c.doc)))), " ")
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func identifyText(options []string, text string) Result {
	return New(Options{}).identify([]byte(stream("", "("+text+") Tj")), "application/pdf", options)
}

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
		r := identifyText(all, text)
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
	if r := identifyText([]string{"receipt"}, "Invoice"); r.Type.Code != "other" {
		t.Errorf("%+v", r)
	}
	// A clear document is surer than a mixed one.
	clear, mixed := identifyText(all, "Invoice, bill to"), identifyText(all, "Invoice, bill to, receipt")
	if clear.Type.Confidence <= mixed.Type.Confidence || mixed.Type.Code != "invoice" {
		t.Errorf("%+v %+v", clear, mixed)
	}
	// A code without rules is looked for by its name.
	if r := identifyText([]string{"boarding_pass"}, "Boarding pass 12A"); r.Type.Code != "boarding_pass" {
		t.Errorf("%+v", r)
	}
}

// TestSamples has the stand-in and the samples of the repository agree, under
// names that say nothing.
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

func TestTallPicture(t *testing.T) {
	bmp := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(bmp[18:], 100)
	binary.LittleEndian.PutUint32(bmp[22:], 260)
	s := New(Options{})
	if r := s.identify(bmp, "image/bmp", []string{"invoice", "receipt"}); r.Type.Code != "receipt" || r.Type.Confidence > 0.6 {
		t.Errorf("%+v", r)
	}
	binary.LittleEndian.PutUint32(bmp[22:], 150)
	if r := s.identify(bmp, "image/bmp", []string{"invoice", "receipt"}); r.Type.Code != "other" {
		t.Errorf("%+v", r)
	}
}

func FuzzIdentify(f *testing.F) {
	for _, s := range []string{invoicePDF, png + chunk("tEXt", "C\x00x"), "GIF89a\x01\x00\x01\x00\x80\x00\x00rgbrgb!\xfe\x01x\x00;",
		"\xff\xd8\xff\xfe\x00\x04ab", "RIFF....WEBPXMP \x01\x00\x00\x00x\x00", "BM" + strings.Repeat("\x00", 60)} {
		f.Add([]byte(s))
	}
	s := New(Options{})
	f.Fuzz(func(t *testing.T, doc []byte) {
		format := formatOf(doc)
		a, b := s.identify(doc, format, []string{"invoice", "receipt"}), s.identify(doc, format, []string{"invoice", "receipt"})
		if fmt.Sprint(a) != fmt.Sprint(b) || a.Type.Code == "" || !(a.Type.Confidence > 0 && a.Type.Confidence <= 1) {
			t.Errorf("%+v %+v", a, b)
		}
	})
}
