package docutraytest

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultKey is the key that a stand-in accepts by default.
const DefaultKey = "dt_live_standin_not_a_real_key"

// Options configure a stand-in. The zero value is a fast, faultless service.
type Options struct {
	// Key is the only key accepted. The default is DefaultKey.
	Key string
	// Latency is how long a job takes: exactly, or as the median with Sigma.
	Latency time.Duration
	// Sigma is the standard deviation of the logarithm of a job's duration.
	Sigma float64
	// Seed determines every draw: durations, faults, forms.
	Seed uint64
	// RateLimit is how many requests are accepted in a RateWindow. 0 is no limit.
	RateLimit int
	// RateWindow is a minute by default. It begins with its first request.
	RateWindow time.Duration
	// RateBurst, if not zero, replaces the window by a bucket of this size,
	// which fills evenly with RateLimit requests in a RateWindow.
	RateBurst int
	// RateForm is what a 429 says about the wait.
	RateForm RateForm
	// AltForms also uses the other documented forms: identification_id and a
	// status_url beside a job's id, errors in all their bodies, and the other
	// wording of the one about types.
	AltForms bool
	// Types are the types of the account. The default is a built-in list.
	Types []DocumentType
	// Identify, if not nil, replaces the rules where it returns true.
	Identify func(Upload) (Result, bool)
	// Faults are those at the start.
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
	CreatedAt   string `json:"createdAt"`
	UpdatedAt   string `json:"updatedAt"`
}

// made is when all types were made.
const made = "2025-01-01T00:00:00.000Z"

// Published returns published types with these codes.
func Published(codes ...string) (types []DocumentType) {
	for _, code := range codes {
		types = append(types, DocumentType{ID: "standin-" + code, CodeType: code, Name: code,
			Description: "a type of the stand-in", IsPublic: true, Status: "PUBLISHED",
			CreatedAt: made, UpdatedAt: made})
	}
	return types
}

// defaultTypes returns some published types and a draft.
func defaultTypes() []DocumentType {
	return append(Published("invoice", "receipt", "contract", "letter", "purchase_order"),
		DocumentType{ID: "standin-delivery_note", CodeType: "delivery_note", Name: "delivery_note", IsDraft: true, Status: "DRAFT",
			CreatedAt: made, UpdatedAt: made})
}

// Server is the stand-in, made by [New]. It is safe for concurrent use.
type Server struct {
	opts      Options
	key       atomic.Pointer[string]
	faults    atomic.Pointer[Faults]
	latency   atomic.Pointer[latency]
	intercept atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
	requests  atomic.Uint64 // numbers the draws
	rate      rateLimit
	record    *record
}

// New returns a stand-in.
func New(opts Options) *Server {
	if opts.Types == nil {
		opts.Types = defaultTypes()
	}
	if opts.RateWindow <= 0 {
		opts.RateWindow = time.Minute
	}
	if opts.Key == "" {
		opts.Key = DefaultKey
	}
	s := &Server{opts: opts, record: newRecord(),
		rate: rateLimit{limit: opts.RateLimit, burst: opts.RateBurst, window: opts.RateWindow}}
	s.SetKey(opts.Key)
	s.SetFaults(opts.Faults)
	s.SetLatency(opts.Latency, opts.Sigma)
	return s
}

// SetKey changes the key that is accepted, like a rotation at the service.
func (s *Server) SetKey(key string) { s.key.Store(&key) }

// SetIntercept makes f see every request to the API first. f returns true if it
// answered, and may panic with http.ErrAbortHandler to drop the connection. nil
// removes it.
func (s *Server) SetIntercept(f func(http.ResponseWriter, *http.Request) (handled bool)) {
	if f == nil {
		s.intercept.Store(nil)
		return
	}
	s.intercept.Store(&f)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "docutray-sim (stand-in)")
	if s.serveControl(w, r) {
		return
	}
	endpoint := endpointOf(r.URL.Path)
	s.record.arrived(endpoint)
	rec := &statusRecorder{ResponseWriter: w}
	defer func() { s.record.answered(endpoint, rec.status) }() // also after a panic, which drops the connection
	if f := s.intercept.Load(); f != nil && (*f)(rec, r) {
		return
	}
	s.serveAPI(rec, r, endpoint)
}

// The endpoints, as in [Stats.ByStatus].
const (
	endpointSubmit = "submit"
	endpointStatus = "status"
	endpointTypes  = "types"
	endpointOther  = "other"
)

const (
	submitPath   = "/api/identify-async"
	statusPath   = "/api/identify-async/status/"
	identifyPath = "/api/identify" // answers when the job has ended
	typesPath    = "/api/document-types"
)

func endpointOf(path string) string {
	switch {
	case path == submitPath, path == identifyPath:
		return endpointSubmit
	case path == typesPath, strings.HasPrefix(path, typesPath+"/"):
		return endpointTypes
	case strings.HasPrefix(path, statusPath):
		return endpointStatus
	}
	return endpointOther
}

// serveAPI makes the checks that all requests share, then answers.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, endpoint string) {
	d := s.draw()
	f := s.Faults()
	stallOrDrop(r, f, d)
	method := http.MethodGet
	if endpoint == endpointSubmit {
		method = http.MethodPost
	}
	switch {
	case f.Outage.status() != 0:
		s.trouble(w, f, d, f.Outage.status())
	case endpoint == endpointOther:
		s.fail(w, d, http.StatusNotFound, "Not found")
	case r.Method != method:
		w.Header().Set("Allow", method)
		s.fail(w, d, http.StatusMethodNotAllowed, "Method not allowed")
	case !s.authorized(r) || f.Account == AccountKeyRevoked:
		failAs(w, d, http.StatusUnauthorized, object{"error": "Invalid API key"})
	case !s.admit(w):
	case endpoint == endpointSubmit:
		s.serveSubmit(w, r, f, d)
	case endpoint == endpointStatus:
		s.serveStatus(w, r, strings.TrimPrefix(r.URL.Path, statusPath), f, d)
	default:
		s.serveTypes(w, r, f, d)
	}
}

func (s *Server) authorized(r *http.Request) bool {
	want := "Bearer " + *s.key.Load()
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) == 1
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
