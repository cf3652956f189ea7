package docutraytest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const invoicePDF = "%PDF-1.4\n<< >>\nstream\n(INVOICE bill to) Tj\nendstream\n%%EOF\n"

// form is a submission to be changed before it is sent.
type form struct {
	fields      [][2]string
	filename    string
	contentType string
	file        string
}

func newForm() *form {
	return &form{
		fields: [][2]string{{"document_type_code_options", `["invoice","receipt"]`},
			{"image_content_type", "application/pdf"}},
		filename: "a.pdf", contentType: "application/pdf", file: invoicePDF,
	}
}

func (f *form) request(t testing.TB) *http.Request {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, kv := range f.fields {
		must(t, w.WriteField(kv[0], kv[1]))
	}
	if f.filename != "" || f.file != "" {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="image"`
		if f.filename != "" {
			disposition += `; filename="` + f.filename + `"`
		}
		h.Set("Content-Disposition", disposition)
		h.Set("Content-Type", f.contentType)
		p, err := w.CreatePart(h)
		must(t, err)
		_, _ = io.WriteString(p, f.file)
	}
	_ = w.Close()
	r := httptest.NewRequest(http.MethodPost, submitPath, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+DefaultKey)
	return r
}

func get(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+DefaultKey)
	return r
}

// ask has s answer r. A dropped connection is status 0.
func ask(t testing.TB, s *Server, r *http.Request) (status int, body map[string]any, header http.Header) {
	t.Helper()
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		return 0, nil, nil
	}
	if got := resp.Header.Get("Server"); !strings.Contains(got, "stand-in") {
		t.Errorf("Server: %q does not say that it is a stand-in", got)
	}
	data, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(data, &body)
	return resp.StatusCode, body, resp.Header
}

// submit makes a job and returns its id.
func submit(t testing.TB, s *Server, f *form) string {
	t.Helper()
	status, body, _ := ask(t, s, f.request(t))
	id, _ := body["id"].(string) // in the other form, too
	if status != http.StatusAccepted || id == "" {
		t.Fatalf("%d %v", status, body)
	}
	return id
}
