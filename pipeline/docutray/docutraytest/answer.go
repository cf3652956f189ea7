package docutraytest

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
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

// succeed writes a 2xx answer, or half of it as [Faults.BrokenJSON] demands.
func (s *Server) succeed(w http.ResponseWriter, f Faults, d *rand.Rand, status int, v any) {
	body := encode(v)
	if chance(d, f.BrokenJSON) {
		body = body[:len(body)/2]
	}
	writeBody(w, status, body)
}

// fail writes an error in a documented form: the first one without AltForms.
func (s *Server) fail(w http.ResponseWriter, d *rand.Rand, status int, message string, details ...string) {
	w.Header().Set("X-Request-ID", "standin-"+strconv.FormatUint(d.Uint64(), 36))
	if len(details) > 0 {
		writeJSON(w, status, object{"message": message, "errors": details})
		return
	}
	forms := []any{
		object{"message": message},
		object{"error": message},
		object{"error": object{"code": "STANDIN", "message": message}},
		object{"detail": message},
	}
	form := 0
	if s.opts.AltForms {
		form = d.IntN(len(forms))
	}
	writeJSON(w, status, forms[form])
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

// serveTypes answers with one page of the list of types.
func (s *Server) serveTypes(w http.ResponseWriter, r *http.Request, f Faults, d *rand.Rand) {
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
		s.fail(w, d, http.StatusBadRequest, "Validation error", "limit must be 1 to 100, page at least 1")
		return
	}
	total := len(s.opts.Types)
	from := min((page-1)*limit, total)
	s.succeed(w, f, d, http.StatusOK, object{
		"data":       append([]DocumentType{}, s.opts.Types[from:min(from+limit, total)]...),
		"pagination": object{"total": total, "page": page, "limit": limit},
	})
}
