package docutraytest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStrictness(t *testing.T) {
	set := func(name, value string) func(*form) {
		return func(f *form) {
			for i := range f.fields {
				if f.fields[i][0] == name {
					f.fields[i][1] = value
					return
				}
			}
			f.fields = append(f.fields, [2]string{name, value})
		}
	}
	const options = "document_type_code_options"
	for name, c := range map[string]struct {
		change func(*form)
		status int
		says   string
	}{
		"as it should be":       {func(*form) {}, 202, ""},
		"metadata":              {set("document_metadata", `{"a":1}`), 202, ""},
		"a field nobody knows":  {set("x", "y"), 202, ""},
		"metadata is a list":    {set("document_metadata", `[1]`), 400, "document_metadata"},
		"metadata is null":      {set("document_metadata", `null`), 400, "document_metadata"},
		"options are missing":   {func(f *form) { f.fields = f.fields[1:] }, 400, options},
		"options are empty":     {set(options, `[]`), 400, options},
		"options are text":      {set(options, `invoice`), 400, options},
		"options are numbers":   {set(options, `[1]`), 400, options},
		"an option is empty":    {set(options, `[""]`), 400, options},
		"an unknown type":       {set(options, `["invoice","nope","no"]`), 403, "Document types not accessible: nope, no"},
		"no file":               {func(f *form) { f.filename, f.file = "", "" }, 400, "image: required"},
		"an empty file":         {func(f *form) { f.file = "" }, 400, "image: required"},
		"no filename":           {func(f *form) { f.filename = "" }, 400, "filename"},
		"another format":        {func(f *form) { f.file = "PK\x03\x04 a zip" }, 400, "must be JPEG"},
		"declared as another":   {func(f *form) { f.contentType = "image/png" }, 400, "declared as"},
		"the text says another": {set("image_content_type", "image/png"), 400, "image_content_type"},
	} {
		s := New(Options{})
		f := newForm()
		c.change(f)
		status, body, _ := ask(t, s, f.request(t))
		if status != c.status || !strings.Contains(fmt.Sprint(body), c.says) {
			t.Errorf("%s: %d %v, want %d %q", name, status, body, c.status, c.says)
		}
		if jobs := s.Stats().Jobs; (jobs == 1) != (c.status == 202) {
			t.Errorf("%s: %d jobs", name, jobs)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	with := func(r *http.Request, change func(*http.Request)) *http.Request { change(r); return r }
	for name, c := range map[string]struct {
		r      *http.Request
		status int
		says   string
	}{
		"no key":       {with(get(typesPath), func(r *http.Request) { r.Header.Del("Authorization") }), 401, "map[error:Invalid API key]"},
		"another key":  {with(newForm().request(t), func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), 401, "Invalid API key"},
		"basic":        {with(get(typesPath), func(r *http.Request) { r.Header.Set("Authorization", DefaultKey) }), 401, "Invalid API key"},
		"JSON":         {with(newForm().request(t), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 415, "Unsupported Content-Type"},
		"no type":      {with(newForm().request(t), func(r *http.Request) { r.Header.Del("Content-Type") }), 415, "Unsupported Content-Type"},
		"no boundary":  {with(newForm().request(t), func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data") }), 415, ""},
		"GET":          {get(submitPath), 405, "Method"},
		"POST":         {with(newForm().request(t), func(r *http.Request) { r.URL.Path = typesPath }), 405, "Method"},
		"unknown job":  {get(statusPath + "nope"), 404, "Identification not found"},
		"no job":       {get(statusPath), 404, "Identification not found"},
		"unknown path": {get("/api/nothing"), 404, "Not found"},
		"limit 0":      {get(typesPath + "?limit=0"), 400, "map[details:[limit must"},
		"limit 500":    {get(typesPath + "?limit=500"), 400, "limit"},
		"page 0":       {get(typesPath + "?page=0"), 400, "page"},
		"unknown type": {get(typesPath + "/nope"), 404, "Document type not found"},
		"page x":       {get(typesPath + "?page=x"), 400, "page"},
	} {
		status, body, h := ask(t, New(Options{}), c.r)
		if status != c.status || !strings.Contains(fmt.Sprint(body), c.says) || h.Get("X-Request-ID") == "" {
			t.Errorf("%s: %d %v, want %d", name, status, body, c.status)
		}
	}
}

// zeros is a file of any length that costs no memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// large is a request with a PDF of size bytes.
func large(t testing.TB, size int64) *http.Request {
	t.Helper()
	f := newForm()
	small := f.request(t)
	body, _ := io.ReadAll(small.Body)
	at := bytes.Index(body, []byte("%%EOF"))
	fill := size - int64(len(f.file))
	r := httptest.NewRequest(http.MethodPost, submitPath, io.MultiReader(bytes.NewReader(body[:at]),
		io.LimitReader(zeros{}, fill), bytes.NewReader(body[at:])))
	r.Header, r.ContentLength = small.Header, int64(len(body))+fill
	return r
}

func TestSizeLimit(t *testing.T) {
	s := New(Options{})
	for size, want := range map[int64]int{maxFileSize: 202, maxFileSize + 1: 413, maxFileSize + 2<<20: 413} {
		if status, body, _ := ask(t, s, large(t, size)); status != want {
			t.Errorf("%d bytes: %d %v, want %d", size, status, body, want)
		}
	}
	if u := s.Uploads(); len(u) != 1 || u[0].Size != maxFileSize || u[0].Result.Type.Code != "invoice" {
		t.Errorf("%+v", u)
	}
}

func TestCutBodyMakesNoJob(t *testing.T) {
	sent := newForm().request(t)
	whole, _ := io.ReadAll(sent.Body)
	for _, n := range []int{0, 10, len(whole) / 2, len(whole) - 60, len(whole) - 4, len(whole) - 1, len(whole)} {
		for _, declared := range []int{n, len(whole), len(whole) + 100} {
			s := New(Options{})
			r := sent.Clone(t.Context()) // its boundary is in its header
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(whole[:n])), int64(declared)
			status, _, _ := ask(t, s, r)
			if st := s.Stats(); (status == 202) != (n == declared && n == len(whole)) || st.Jobs != st.Complete ||
				(st.Jobs == 1) != (status == 202) {
				t.Errorf("%d of %d bytes, declared as %d: %d, %+v", n, len(whole), declared, status, st)
			}
		}
	}
}

func TestTypeList(t *testing.T) {
	s := New(Options{})
	status, body, _ := ask(t, s, get(typesPath+"?limit=4&page=2"))
	data, _ := body["data"].([]any)
	if status != 200 || len(data) != 2 || fmt.Sprint(body["pagination"]) != "map[limit:4 page:2 total:6]" {
		t.Fatalf("%d %v", status, body)
	}
	last, _ := data[1].(map[string]any)
	if last["codeType"] != "delivery_note" || last["isDraft"] != true || last["isPublic"] != false || last["status"] != "DRAFT" ||
		last["createdAt"] != made || last["updatedAt"] != made {
		t.Errorf("%v", last)
	}
	status, body, _ = ask(t, s, get(typesPath+"?search=E_Or&limit=1"))
	if status != 200 || !strings.Contains(fmt.Sprint(body["data"]), "codeType:purchase_order") || fmt.Sprint(body["pagination"]) != "map[limit:1 page:1 total:1]" {
		t.Errorf("a search: %d %v", status, body)
	}
	for _, id := range []string{"invoice", "standin-invoice"} {
		status, body, _ := ask(t, s, get(typesPath+"/"+id))
		if one, _ := body["data"].(map[string]any); status != 200 || one["codeType"] != "invoice" {
			t.Errorf("%s: %d %v", id, status, body)
		}
	}
	if status, body, _ := ask(t, s, get(typesPath+"?page=9")); status != 200 || fmt.Sprint(body["data"]) != "[]" {
		t.Errorf("%d %v", status, body)
	}
}
