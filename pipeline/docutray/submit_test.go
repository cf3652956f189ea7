package docutray

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"docusort/pipeline/docutray/docutraytest"
)

func TestBodyAsItIsSent(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) || r.TransferEncoding != nil {
			t.Errorf("Content-Length %d of %d bytes, %v, %v", r.ContentLength, len(body), r.TransferEncoding, err)
		}
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for _, want := range [][3]string{
			{"document_type_code_options", `["invoice","a\"b"]`, ""}, {"document_metadata", `{"x":[1]}`, ""},
			{"image_content_type", "application/pdf", ""}, {"image", string(pdf), "a_b.pdf"},
		} {
			p, err := parts.NextPart()
			must(t, err)
			value, _ := io.ReadAll(p)
			if p.FormName() != want[0] || string(value) != want[1] || p.FileName() != want[2] {
				t.Errorf("field %q %q %q, want %q", p.FormName(), value, p.FileName(), want)
			}
			if want[0] == "image" && p.Header.Get("Content-Type") != "application/pdf" {
				t.Error("the file's content type is missing")
			}
		}
		if _, err := parts.NextPart(); err != io.EOF {
			t.Error("more parts:", err)
		}
		_, _ = io.WriteString(w, `{"id":"j"}`)
	}))
	s := submission()
	s.Filename, s.Types, s.Metadata = "a\"b.pdf", []string{"invoice", `a"b`}, json.RawMessage(`{"x":[1]}`)
	must(t, second(newClient(t, srv.URL).Submit(t.Context(), s)))
}

var errHash = errors.New("hash differs")

// TestContentThatFails: the service never gets a complete body of a document
// whose content does not end as it should, and no request for a small one.
func TestContentThatFails(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 1<<20)
	withEnd := func(b []byte, err error) io.Reader {
		return io.MultiReader(bytes.NewReader(b), iotest.ErrReader(err))
	}
	for name, c := range map[string]struct {
		content func() io.Reader
		size    int
		want    error
	}{
		"error at the end":       {func() io.Reader { return withEnd(pdf, errHash) }, len(pdf), errHash},
		"error with the end":     {func() io.Reader { return iotest.DataErrReader(withEnd(big, errHash)) }, len(big), errHash},
		"error at once":          {func() io.Reader { return iotest.ErrReader(errHash) }, 10, errHash},
		"error in the middle":    {func() io.Reader { return withEnd(big, errHash) }, 2 * len(big), errHash},
		"shrank":                 {func() io.Reader { return bytes.NewReader(pdf) }, len(pdf) + 1, errShrank},
		"grew":                   {func() io.Reader { return bytes.NewReader(pdf) }, len(pdf) - 1, errGrew},
		"grew with its last end": {func() io.Reader { return iotest.DataErrReader(bytes.NewReader(big)) }, len(big) - 1, errGrew},
		"empty, then error":      {func() io.Reader { return iotest.ErrReader(errHash) }, 0, errHash},
	} {
		for _, inProcess := range []bool{false, true} {
			t.Run(fmt.Sprint(name, inProcess), func(t *testing.T) {
				sim := docutraytest.New(docutraytest.Options{})
				srv := serve(t, sim)
				client := newClient(t, srv.URL)
				if inProcess {
					client = newClient(t, srv.URL, func(c *Config) { c.Transport = sim.Transport() })
				}
				s := submission()
				s.Content, s.Size = c.content(), int64(c.size)
				_, err := client.Submit(t.Context(), s)
				e := asError(t, err)
				streamed := c.size > oneWrite || inProcess
				if e.Class != Local || e.OutcomeUnknown || e.Sent != streamed || !errors.Is(err, ErrContent) || !errors.Is(err, c.want) {
					t.Errorf("%+v", e)
				}
				srv.Close() // waits for the handler
				if st := sim.Stats(); st.Complete != 0 || st.Jobs != 0 {
					t.Errorf("the service has a complete body: %+v", st)
				}
			})
		}
	}
}

func TestUnusableSubmissions(t *testing.T) {
	for name, change := range map[string]func(*Submission){
		"no content":    func(s *Submission) { s.Content = nil },
		"negative":      func(s *Submission) { s.Size = -1 },
		"no types":      func(s *Submission) { s.Types = nil },
		"content type":  func(s *Submission) { s.ContentType = "a/b\r\nX: y" },
		"no type":       func(s *Submission) { s.ContentType = "" },
		"metadata":      func(s *Submission) { s.Metadata = json.RawMessage(`[1]`) },
		"metadata null": func(s *Submission) { s.Metadata = json.RawMessage(`null`) },
		"too large":     func(s *Submission) { s.Size = MaxFileSize + 1 },
	} {
		s := submission()
		change(&s)
		c := newClient(t, "https://service.invalid", func(c *Config) {
			c.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				t.Errorf("%s: a request was made", name)
				return nil, io.EOF
			})
		})
		_, err := c.Submit(t.Context(), s)
		e := asError(t, err)
		if tooLarge := name == "too large"; e.Sent || e.OutcomeUnknown || (e.Class == Document) != tooLarge || errors.Is(err, ErrTooLarge) != tooLarge {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// zeros is endless content.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestMemoryDoesNotDependOnSize(t *testing.T) {
	const size = 64 << 20
	var got int64
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"j"}`)
	}))
	c := newClient(t, srv.URL)
	s := submission()
	s.Content, s.Size = io.LimitReader(zeros{}, size), size
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	must(t, second(c.Submit(t.Context(), s)))
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	if got < size || allocated > 2<<20 {
		t.Errorf("%d bytes allocated for an upload of %d, of which %d arrived", allocated, size, got)
	}
}

func TestFilenames(t *testing.T) {
	for name, want := range map[string]string{
		"scan.pdf": "scan.pdf", "Rechnung März 请.pdf": "Rechnung März 请.pdf", "": "document", "..": "document",
		"a\"b\\c/d.pdf": "a_b_c_d.pdf", "a\r\nX-Y: z.pdf": "a__X-Y: z.pdf", "a\xff\x00.pdf": "a__.pdf",
		"a\u202efdp.exe":                  "a_fdp.exe",
		strings.Repeat("ä", 300):          strings.Repeat("ä", 100),
		strings.Repeat("x", 300) + ".pdf": strings.Repeat("x", 196) + ".pdf",
	} {
		if got := cleanFilename(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzFilename(f *testing.F) {
	f.Add("scan.pdf")
	f.Add("\xff\"\r\n\\" + strings.Repeat("é", 200) + ".p")
	f.Fuzz(func(t *testing.T, name string) {
		s := submission()
		s.Filename = name
		sent, err := newForm(s)
		must(t, err)
		_, params, _ := mime.ParseMediaType(sent.contentType)
		form, err := multipart.NewReader(io.MultiReader(bytes.NewReader(sent.head), s.Content, bytes.NewReader(sent.tail)),
			params["boundary"]).ReadForm(1 << 20)
		if err != nil || len(form.File["image"]) != 1 {
			t.Fatalf("%q: %v", name, err)
		}
		got := form.File["image"][0].Filename
		if got == "" || len(got) > maxFilename || !utf8.ValidString(got) || strings.ContainsAny(got, "\"\\/\r\n\x00") {
			t.Errorf("%q became %q", name, got)
		}
	})
}
