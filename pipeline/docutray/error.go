package docutray

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Class says whose fault a failed request is, and so who has to act.
type Class int

// The classes of failures.
const (
	// Document: the service refuses this document.
	Document Class = iota + 1
	// Account: the key, the quota or a permission. Nothing works until a person
	// acts or the quota is reset. Also a key that cannot be read.
	Account
	// Missing: the service does not know the job (Status only).
	Missing
	// Rate: too many requests. Everyone waits for RetryAfter.
	Rate
	// Service: the service or the network failed, or the answer is unusable.
	// The same request may succeed later.
	Service
	// NoID: the service accepted the document, but nothing in its answer can be
	// understood as the id of a job (Submit only). Another submission is paid
	// for as well, and may be answered in the same way.
	NoID
	// Local: the request ended, or never began, on our side: the content
	// failed, shrank or grew, the submission is invalid, or the context ended.
	Local
)

// The operations, as in [Error.Op].
const (
	OpSubmit = "submit"
	OpStatus = "status"
	OpTypes  = "document types"
	OpPing   = "ping"
)

// Error is the error of every failed request. Texts from the service are cut,
// contain no control characters, and never the key.
type Error struct {
	Op         string // OpSubmit, OpStatus, OpTypes or OpPing
	Class      Class
	StatusCode int    // 0 if no answer came
	Message    string // the service's with its details, or what is wrong with its answer; may be empty
	RequestID  string // the service's name for the request, if any
	// RetryAfter is how long the service asks to wait (429, 5xx): 0 (not
	// specified) to 25 h.
	RetryAfter time.Duration
	// PerMinute is the limit of a minute that a 429 names, or 0.
	PerMinute float64
	// ResetAt is when the quota is renewed (402, 429), or zero.
	ResetAt time.Time
	// OutcomeUnknown reports that the service may have made a job, although no
	// id came back (Submit only).
	OutcomeUnknown bool
	// Sent reports that a part of the request body may have been sent.
	Sent bool
	// Err is the cause on our side of the connection: the network, the content
	// or the context. It may be nil.
	Err error

	page bool // the answer was a web page
}

// Error returns one line: operation, reason, request id.
func (e *Error) Error() string {
	text := e.Op + ": " + e.Reason()
	if e.RequestID != "" {
		text += " [request " + e.RequestID + "]"
	}
	return text
}

// Reason returns what was wrong in one line: status, message, cause, and what to do
// about it where it is no trouble of the service's own. It contains no request id and
// no port of ours, so that equal reasons can be counted together.
func (e *Error) Reason() string {
	var parts []string
	if e.StatusCode != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))))
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if e.Err != nil {
		parts = append(parts, causeText(e.Err))
	}
	text := strings.Join(parts, ": ")
	if advice := e.advice(); advice != "" {
		text += "; " + advice
	}
	return text
}

// causeText leaves out our end of a connection, whose port is different each time.
func causeText(err error) string {
	if op := new(net.OpError); errors.As(err, &op) {
		remote := *op
		remote.Source = nil
		return remote.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection broke before the answer was complete"
	}
	return err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// AsError returns the [Error] in err's chain, or one of class [Local] where there is none;
// nil for nil.
func AsError(err error) *Error {
	var e *Error
	if err != nil && !errors.As(err, &e) {
		e = &Error{Class: Local, Err: err}
	}
	return e
}

// Causes on our side, for errors.Is.
var (
	// ErrContent: the content of a submission failed, or is not Size bytes
	// long. The content's own error is wrapped beside it.
	ErrContent = errors.New("content of the document")
	// ErrSubmission: the submission is invalid.
	ErrSubmission = errors.New("unusable submission")
	// ErrTooLarge: the document is over [MaxFileSize]. The class is Document.
	ErrTooLarge = errors.New("document is larger than 100 MB")
	// ErrProxy: the configured proxy cannot be reached, or refuses.
	ErrProxy = errors.New("proxy")
	// ErrTLS: no trusted connection, usually because of the certificate.
	ErrTLS = errors.New("no trusted connection")
	// ErrTimeout: the request took too long.
	ErrTimeout = errors.New("timed out")
)

// classify is the one place that decides what a status code means. The class of
// a 2xx is 0. page says that
// the body is a web page. outcomeUnknown reports that a
// submission with this answer may have made a job.
func classify(op string, status int, page bool) (class Class, outcomeUnknown bool) {
	submit := op == OpSubmit
	switch {
	case status >= 200 && status <= 299:
		return 0, false
	case status == http.StatusTooManyRequests:
		return Rate, false
	case page:
		// From a proxy or another site. The service answers in JSON: nobody
		// else can say that a job is gone, or that a key or a document is bad.
		return Service, submit && lostByGateway(status)
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired,
		status == http.StatusForbidden:
		return Account, false
	case op == OpStatus && (status == http.StatusNotFound || status == http.StatusGone):
		return Missing, false
	case submit && blamesDocument(status):
		return Document, false
	}
	return Service, submit && lostByGateway(status)
}

// blamesDocument reports whether a status is about the document. A status about
// the address, the connection or the form of the request is not: a service that
// moved, or a proxy, must never fail a document.
func blamesDocument(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusGone,
		http.StatusLengthRequired, http.StatusRequestEntityTooLarge, http.StatusExpectationFailed,
		http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusUpgradeRequired,
		http.StatusPreconditionRequired, http.StatusRequestHeaderFieldsTooLarge,
		499: // nginx: the client closed the connection
		return false
	}
	return status >= 400 && status <= 499
}

// lostByGateway reports whether a status comes from a gateway that passed the
// request on and got no answer: the service may have made a job.
func lostByGateway(status int) bool {
	switch status {
	case http.StatusBadGateway, http.StatusGatewayTimeout, 520, 524:
		return true
	}
	return false
}
