package docutraytest

import (
	"crypto/subtle"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultKey is the key that a stand-in accepts if Options names no other.
const DefaultKey = "dt_live_standin_not_a_real_key"

// MaxFileSize is the largest file that is taken, in bytes: the service's
// "100MB", read as binary.
const MaxFileSize = 100 << 20

// serverName is the Server header of every answer.
const serverName = "docutray-sim (stand-in)"

// Options are what a stand-in is made with. The zero value is a fast, faultless
// service.
type Options struct {
	// Key is the only key accepted; DefaultKey if empty. See also
	// [Server.SetKey].
	Key string
	// Latency is how long a job takes: exactly, or in the median if Sigma is
	// not zero. See also [Server.SetLatency].
	Latency time.Duration
	// Sigma is the standard deviation of the logarithm of a job's duration.
	Sigma float64
	// Seed decides every draw: durations, faults, forms.
	Seed uint64
	// RateLimit is how many requests a RateWindow takes, 0 for any number.
	RateLimit int
	// RateWindow is a minute if zero. A window begins with its first request.
	RateWindow time.Duration
	// RateBurst, if not zero, makes the limit a bucket instead of a window: it
	// fills evenly with RateLimit requests in a RateWindow, up to this many. 1
	// takes nothing but an even pace.
	RateBurst int
	// RateForm says where a 429 tells how long to wait.
	RateForm RateForm
	// AltForms makes it use the other documented forms as well: a job's id as
	// identification_id with a status_url, and errors in all their bodies.
	AltForms bool
	// Types are the types of the account; DefaultTypes if nil.
	Types []DocumentType
	// Forbidden are codes refused with 403 though they may be listed.
	Forbidden []string
	// CatchAll is the code of what is none of the options; "other" if empty.
	CatchAll string
	// Identify, if not nil, decides instead of the rules where it returns true.
	Identify func(Upload) (Result, bool)
	// Faults are those at the start; see SetFaults.
	Faults Faults
}

// DocumentType is an entry of the list of types.
type DocumentType struct {
	ID          string `json:"id"`
	CodeType    string `json:"codeType"`
	Name        string `json:"name"`
	Description string `json:"description"`
	IsPublic    bool   `json:"isPublic"`
	IsDraft     bool   `json:"isDraft"`
	Status      string `json:"status"`
}

// DefaultTypes returns the types of an account of which nothing else is said.
func DefaultTypes() []DocumentType {
	published := func(id, code, name string) DocumentType {
		return DocumentType{ID: id, CodeType: code, Name: name, IsPublic: true, Status: "PUBLISHED",
			Description: name + " (a type of the stand-in)"}
	}
	draft := published("standin0000000000000006", "delivery_note", "Delivery note")
	draft.IsPublic, draft.IsDraft, draft.Status = false, true, "DRAFT"
	return []DocumentType{
		published("standin0000000000000001", "invoice", "Invoice"),
		published("standin0000000000000002", "receipt", "Receipt"),
		published("standin0000000000000003", "contract", "Contract"),
		published("standin0000000000000004", "letter", "Letter"),
		published("standin0000000000000005", "purchase_order", "Purchase order"),
		draft,
	}
}

// Server is the stand-in. Make it with [New]; its methods and its handler may
// be used concurrently.
type Server struct {
	opts      Options
	faults    atomic.Pointer[Faults]
	latency   atomic.Pointer[latency]
	intercept atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	requests  atomic.Uint64 // numbers the draws of requests

	mu        sync.Mutex
	key       string
	jobs      map[string]*job
	uploads   []*Upload
	complete  map[string]int // complete bodies by SHA-256
	made      map[string]int // jobs by SHA-256
	stats     Stats
	windows   []RateWindow // of the rate limit; the last one is the current
	bucket    bucket       // of the rate limit, with RateBurst
	uploading int
}

// New makes a stand-in.
func New(opts Options) *Server {
	if opts.Types == nil {
		opts.Types = DefaultTypes()
	}
	if opts.CatchAll == "" {
		opts.CatchAll = "other"
	}
	if opts.RateWindow <= 0 {
		opts.RateWindow = time.Minute
	}
	if opts.Key == "" {
		opts.Key = DefaultKey
	}
	s := &Server{
		opts: opts, key: opts.Key,
		jobs: map[string]*job{}, complete: map[string]int{}, made: map[string]int{},
		stats: Stats{ByStatus: map[string]int{}},
	}
	s.SetFaults(opts.Faults)
	s.SetLatency(opts.Latency, opts.Sigma)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", serverName)
	switch r.URL.Path {
	case "/":
		s.servePage(w)
		return
	case "/_standin/stats":
		s.serveStats(w, r)
		return
	case "/_standin/jobs":
		s.serveJobs(w, r)
		return
	case "/_standin/latency":
		s.serveLatency(w, r)
		return
	case "/_standin/faults":
		s.serveFaults(w, r)
		return
	}
	endpoint := endpointOf(r.URL.Path)
	s.arrived(endpoint)
	rec := &recorder{ResponseWriter: w}
	defer func() {
		// Also when the handler ends by panic, which drops the connection.
		s.answered(endpoint, rec.status)
	}()
	if f := s.intercept.Load(); f != nil && (*f)(rec, r) {
		return
	}
	s.serveAPI(rec, r, endpoint)
}

// The endpoints, as they stand in [Stats].
const (
	EndpointSubmit = "submit"
	EndpointStatus = "status"
	EndpointTypes  = "types"
	EndpointOther  = "other"
)

const (
	submitPath = "/api/identify-async"
	statusPath = "/api/identify-async/status/"
	typesPath  = "/api/document-types"
)

func endpointOf(path string) string {
	switch {
	case path == submitPath:
		return EndpointSubmit
	case path == typesPath:
		return EndpointTypes
	case strings.HasPrefix(path, statusPath):
		return EndpointStatus
	}
	return EndpointOther
}

// serveAPI makes the checks that all requests share, then answers.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, endpoint string) {
	d := s.draw()
	f := s.Faults()
	s.breakDown(r, f, d)
	method := http.MethodGet
	if endpoint == EndpointSubmit {
		method = http.MethodPost
	}
	switch {
	case f.Outage == OutageUnavailable:
		s.fail(w, d, http.StatusServiceUnavailable, "Service unavailable")
	case endpoint == EndpointOther:
		s.fail(w, d, http.StatusNotFound, "Not found")
	case r.Method != method:
		w.Header().Set("Allow", method)
		s.fail(w, d, http.StatusMethodNotAllowed, "Method not allowed")
	case !s.authorized(r) || f.Account == AccountKeyRevoked:
		s.fail(w, d, http.StatusUnauthorized, "Invalid API key")
	case !s.admit(w, d):
	case endpoint == EndpointSubmit:
		s.serveSubmit(w, r, f, d)
	case endpoint == EndpointStatus:
		s.serveStatus(w, strings.TrimPrefix(r.URL.Path, statusPath), f, d)
	default:
		s.serveTypes(w, r, f, d)
	}
}

func (s *Server) authorized(r *http.Request) bool {
	s.mu.Lock()
	want := "Bearer " + s.key
	s.mu.Unlock()
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) == 1
}

// SetKey changes the key that is accepted, as a rotation at the service does.
func (s *Server) SetKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// SetIntercept has f called before every request to the API. Where it returns
// true it has answered. It may panic with http.ErrAbortHandler to drop the
// connection. nil ends it.
func (s *Server) SetIntercept(f func(http.ResponseWriter, *http.Request) (handled bool)) {
	if f == nil {
		s.intercept.Store(nil)
		return
	}
	s.intercept.Store(&f)
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// servePage says what this is to whoever opens it in a browser.
func (s *Server) servePage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "This is docutray-sim, a stand-in for the DocuTray identification API.\n"+
		"It is not DocuTray, costs nothing, and guesses types by simple rules.\n\n"+
		"POST "+submitPath+"\nGET  "+statusPath+"{id}\nGET  "+typesPath+"\n"+
		"GET  /_standin/stats     what it was asked so far; with ?counts nothing by document\n"+
		"GET  /_standin/jobs      when each job was made, ended and was told of\n"+
		"POST /_standin/faults    switch faults, e.g. {\"outage\":\"503\"}; DELETE ends them\n"+
		"POST /_standin/latency   how long jobs take from now on, e.g. {\"latency\":\"20s\",\"sigma\":0.35}\n")
}
