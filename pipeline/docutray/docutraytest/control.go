package docutraytest

import (
	"encoding/json"
	"io"
	"net/http"
)

// serveControl answers the requests below /_standin/, which the service does
// not have. It reports false for any other path.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case "/":
		s.servePage(w)
	case "/_standin/stats":
		writeJSON(w, http.StatusOK, s.Stats())
	case "/_standin/latency":
		serveSetting(w, r, s.latency.Load, s.latency.Store)
	case "/_standin/faults":
		serveSetting(w, r, s.faults.Load, s.faults.Store)
	default:
		return false
	}
	return true
}

// serveSetting shows a setting (GET), merges the body into it (POST, PUT), or
// resets it to zero (DELETE).
func serveSetting[T interface{ Check() error }](w http.ResponseWriter, r *http.Request, load func() *T, store func(*T)) {
	v := *load()
	switch r.Method {
	case http.MethodDelete:
		store(new(T))
	case http.MethodPost, http.MethodPut:
		dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := dec.Decode(&v)
		if err == nil {
			err = v.Check()
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, object{"message": "stand-in: " + err.Error()})
			return
		}
		store(&v)
	}
	writeJSON(w, http.StatusOK, *load())
}

// servePage explains the stand-in to a person with a browser.
func (s *Server) servePage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "This is docutray-sim, a stand-in for the DocuTray identification API.\n"+
		"It is not DocuTray, costs nothing, and guesses types by simple rules.\n\n"+
		"POST "+submitPath+"\nGET  "+statusPath+"{id}\nPOST "+identifyPath+"\n"+
		"GET  "+typesPath+"\nGET  "+typesPath+"/{id}\n"+
		"GET  /_standin/stats     counts of requests\n"+
		"POST /_standin/faults    set faults, e.g. {\"outage\":\"503\"}; DELETE ends them\n"+
		"POST /_standin/latency   how long new jobs take, e.g. {\"latency\":\"20s\",\"sigma\":0.35}\n")
}
