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

// Class says whose fault a failed request is, and so who acts on it.
type Class int

// The classes of failures.
const (
	// Document: the service refused this document; asking again is no use.
	Document Class = iota + 1
	// Account: key, quota or permissions; nothing works until a human acts or
	// the quota is reset. Also a key that could not be read.
	Account
	// Missing: the service does not know the job (Status only).
	Missing
	// Rate: too many requests; everyone waits for RetryAfter.
	Rate
	// Service: the service or the network failed, or answered what cannot be
	// used. The same request may succeed later.
	Service
	// Local: our side ended or never began the request: the content failed,
	// shrank or grew, the submission was unusable, or the context was done.
	Local
)

// String returns the class in one word.
func (c Class) String() string {
	switch c {
	case Document:
		return "document"
	case Account:
		return "account"
	case Missing:
		return "missing"
	case Rate:
		return "rate"
	case Service:
		return "service"
	case Local:
		return "local"
	}
	return fmt.Sprintf("class %d", int(c))
}

// The operations, as they stand in [Error.Op].
const (
	OpSubmit = "submit"
	OpStatus = "status"
	OpTypes  = "document types"
	OpPing   = "ping"
)

// Error is what every failed request returns. Its texts come from the service
// in part: they are cut to a sane length, hold no control characters, and never
// the key.
type Error struct {
	// Op is the operation: OpSubmit, OpStatus, OpTypes or OpPing.
	Op string
	// Class says whose fault it is.
	Class Class
	// StatusCode is the status of the answer, 0 if there was none.
	StatusCode int
	// Message is the service's own, or what was wrong with its answer; it may
	// be empty where Err says it all.
	Message string
	// Details are the service's "errors", at most 10.
	Details []string
	// RequestID is the service's name for the request, if it gave one.
	RequestID string
	// RetryAfter is how long the service asks to wait (429, 503), from 0
	// (it did not say) to 25 h.
	RetryAfter time.Duration
	// ResetAt is when the quota is renewed (402); zero if it did not say.
	ResetAt time.Time
	// Unknown says that a job may have been made although there is no id of it
	// (Submit only).
	Unknown bool
	// Sent says that a byte of the document's request body may have left us.
	Sent bool
	// Err is the cause on our side of the connection: of the network, of the
	// content, of the context. It may be nil.
	Err error
}

// Error returns one line: operation, reason, request id.
func (e *Error) Error() string {
	text := e.Op + ": " + e.Reason()
	if e.RequestID != "" {
		text += " [request " + e.RequestID + "]"
	}
	return text
}

// Reason says in one line what was wrong: status, message, details, cause. It
// is the same each time that the same happens, so that it can be counted and
// compared: no request id, no port of ours.
func (e *Error) Reason() string {
	var parts []string
	if e.StatusCode != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))))
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	text := strings.Join(parts, ": ")
	if len(e.Details) > 0 {
		text += " (" + strings.Join(e.Details, "; ") + ")"
	}
	if e.Err == nil {
		return text
	}
	if text != "" {
		text += ": "
	}
	return text + causeText(e.Err)
}

// causeText leaves out our own end of a connection, whose port is another one
// each time.
func causeText(err error) string {
	if op := new(net.OpError); errors.As(err, &op) {
		there := *op
		there.Source = nil
		return there.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection broke before the answer was whole"
	}
	return err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// AsError returns the [Error] in err's chain, if there is one.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Causes on our side, to be found with errors.Is.
var (
	// ErrContent: the content of a submission failed, or had fewer or more
	// bytes than its Size. The content's own error is wrapped beside it.
	ErrContent = errors.New("content of the document")
	// ErrSubmission: the submission itself cannot be sent.
	ErrSubmission = errors.New("unusable submission")
	// ErrTooLarge: the document is over [MaxFileSize]; the class is Document,
	// as if the service had refused it.
	ErrTooLarge = errors.New("document is larger than 100 MB")
	// ErrTimeout: one of the timeouts of [Config] ended the request.
	ErrTimeout = errors.New("timed out")
)

// classify is the one place that decides what an answer's status means. html
// says that the body is a web page. ok is true for 2xx only. unknown says that
// a submission answered so may have made a job.
func classify(op string, status int, html bool) (class Class, ok, unknown bool) {
	submit := op == OpSubmit
	switch {
	case status >= 200 && status <= 299:
		return 0, true, false
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired,
		status == http.StatusForbidden:
		return Account, false, false
	case status == http.StatusTooManyRequests:
		return Rate, false, false
	case op == OpStatus && (status == http.StatusNotFound || status == http.StatusGone) && !html:
		// A web page with 404 is a proxy that lost its way, and no reason to
		// forget a paid job: the service itself answers in JSON.
		return Missing, false, false
	case submit && isRefusal(status):
		return Document, false, false
	}
	return Service, false, submit && isGatewayLoss(status)
}

// isRefusal says whether a status blames the document. Statuses that speak of
// the address, the connection or the form of the request do not: a service
// that moved, or a proxy in between, must never fail a document.
func isRefusal(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusGone,
		http.StatusLengthRequired, http.StatusExpectationFailed,
		http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusUpgradeRequired,
		http.StatusPreconditionRequired, http.StatusRequestHeaderFieldsTooLarge,
		499: // nginx: the client closed the connection
		return false
	}
	return status >= 400 && status <= 499
}

// isGatewayLoss says whether a status comes from a gateway that passed the
// request on and then lost sight of it: the service may have made a job.
func isGatewayLoss(status int) bool {
	switch status {
	case http.StatusBadGateway, http.StatusGatewayTimeout, 520, 524:
		return true
	}
	return false
}
