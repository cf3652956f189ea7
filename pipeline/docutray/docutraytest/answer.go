package docutraytest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object to be sent.
type object map[string]any

func writeJSON(w http.ResponseWriter, status int, v any) { writeBody(w, status, encode(v)) }

// encode panics on a value that JSON cannot represent, which only a bug can send.
func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// succeed writes a 2xx answer, cut or compressed as the faults demand.
func (s *Server) succeed(w http.ResponseWriter, f Faults, d *rand.Rand, status int, v any) {
	body := encode(v)
	if chance(d, f.BrokenJSON) {
		body = body[:len(body)/2]
	}
	if chance(d, f.Gzip) {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, _ = zip.Write(body)
		_ = zip.Close()
		body = packed.Bytes()
		w.Header().Set("Content-Encoding", "gzip")
	}
	writeBody(w, status, body)
}

// failAs writes an error in the form of body.
func failAs(w http.ResponseWriter, d *rand.Rand, status int, body object) {
	w.Header().Set("X-Request-ID", "standin-"+strconv.FormatUint(d.Uint64(), 36))
	writeJSON(w, status, body)
}

// fail writes an error in a documented form: the first one without AltForms.
func (s *Server) fail(w http.ResponseWriter, d *rand.Rand, status int, message string, details ...string) {
	if len(details) > 0 {
		failAs(w, d, status, object{"message": message, "errors": details})
		return
	}
	forms := []object{
		object{"message": message},
		object{"error": message},
		object{"error": object{"code": "STANDIN", "message": message}},
		object{"detail": message},
	}
	form := 0
	if s.opts.AltForms {
		form = d.IntN(len(forms))
	}
	failAs(w, d, status, forms[form])
}

// trouble answers with a status: as the service does, or as a gateway before it.
func (s *Server) trouble(w http.ResponseWriter, f Faults, d *rand.Rand, status int) {
	text := http.StatusText(status)
	if !f.Page {
		s.fail(w, d, status, text)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>%d %s</title></head><body><h1>%s</h1></body></html>", status, text, text)
}

// failAtRandom answers with one of the service's own failures.
func (s *Server) failAtRandom(w http.ResponseWriter, d *rand.Rand) {
	statuses := []int{http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusRequestTimeout}
	texts := []string{"Internal server error: Failed to start processing", "Bad gateway",
		"Service unavailable", "URL download timeout (30000ms)"}
	i := d.IntN(len(statuses))
	s.fail(w, d, statuses[i], texts[i])
}

// serveTypes answers with one page of the list of types, or with one type.
func (s *Server) serveTypes(w http.ResponseWriter, r *http.Request, f Faults, d *rand.Rand) {
	if id, one := strings.CutPrefix(r.URL.Path, typesPath+"/"); one {
		i := slices.IndexFunc(s.opts.Types, func(t DocumentType) bool { return t.ID == id || t.CodeType == id })
		if i < 0 {
			s.fail(w, d, http.StatusNotFound, "Document type not found")
			return
		}
		s.succeed(w, f, d, http.StatusOK, object{"data": s.opts.Types[i]})
		return
	}
	number := func(name string, def int) (int, bool) {
		text := r.URL.Query().Get(name)
		if text == "" {
			return def, true
		}
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= 1 && n <= 1_000_000
	}
	limit, ok1 := number("limit", 20)
	page, ok2 := number("page", 1)
	if !ok1 || !ok2 || limit > 100 {
		failAs(w, d, http.StatusBadRequest, object{"error": "Invalid query parameters",
			"details": []string{"limit must be 1 to 100, page at least 1"}})
		return
	}
	search := strings.ToLower(r.URL.Query().Get("search"))
	found := slices.DeleteFunc(slices.Clone(s.opts.Types), func(t DocumentType) bool {
		return !strings.Contains(strings.ToLower(t.CodeType+"\n"+t.Name), search)
	})
	total := len(found)
	from := min((page-1)*limit, total)
	s.succeed(w, f, d, http.StatusOK, object{
		"data":       append([]DocumentType{}, found[from:min(from+limit, total)]...),
		"pagination": object{"total": total, "page": page, "limit": limit},
	})
}
