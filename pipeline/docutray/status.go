package docutray

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// State says how far a job is.
type State int

// The states of a job.
const (
	// InProgress: ask again later. It is also what a state means that this
	// client does not know.
	InProgress State = iota
	// Succeeded: the Type is known.
	Succeeded
	// Failed: the service gave the job up, for the reason in Error.
	Failed
)

// String returns the state in words.
func (s State) String() string {
	switch s {
	case InProgress:
		return "in progress"
	case Succeeded:
		return "succeeded"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("state %d", int(s))
}

// Status is what the service says of a job.
type Status struct {
	ID    string
	State State
	// Type is the identified one, with State Succeeded. Its code is never
	// empty, need not be among the options, and is otherwise as the service
	// sent it, which may be anything: make it safe before using it in a path.
	Type Type
	// Alternatives are the types considered, as the service orders them, at
	// most 100.
	Alternatives []Type
	// Error is the service's reason, with State Failed; it may be empty.
	Error string
	// Requested and Responded are the service's own times for the job's
	// arrival and its end, zero if absent.
	Requested, Responded time.Time
}

// Type is one type with how sure the service is of it.
type Type struct {
	Code, Name string
	Confidence float64 // in [0, 1]
}

const maxAlternatives = 100

// Status asks for the state of a job. The error is an [*Error], of class
// Missing if the service does not know the job. An answer that cannot be used
// (about another job, over 1 MiB, cut, no JSON object, SUCCESS without a type)
// is of class Service: the job is still there, so ask again.
func (c *Client) Status(ctx context.Context, jobID string) (Status, error) {
	k := c.newCall(OpStatus)
	if err := CheckJobID(jobID); err != nil {
		return Status{}, &Error{Op: OpStatus, Class: Local, Err: err}
	}
	var body jobAnswer
	u := c.address(pathStatus+jobID, pathStatus+url.PathEscape(jobID))
	ans, e := k.query(ctx, u, &body)
	if e != nil {
		return Status{}, e
	}
	if id := cmp.Or(string(body.ID), string(body.IdentificationID)); id != "" && id != jobID {
		return Status{}, k.unusable(ans, "it is about another job", nil)
	}
	s := Status{ID: jobID, Requested: body.Requested.Time, Responded: body.Responded.Time}
	switch state := strings.ToUpper(strings.TrimSpace(string(body.Status))); state {
	case "SUCCESS":
		s.State = Succeeded
		code, ok := k.typeOf(body.DocumentType)
		if !ok {
			return Status{}, k.unusable(ans, "success without a type", nil)
		}
		s.Type, s.Alternatives = code, k.typesOf(body.Alternatives)
	case "ERROR":
		s.State = Failed
		s.Error = k.show(refusal{Error: body.Error, Message: body.Message}.reason(), maxMessage)
	case "ENQUEUED", "PROCESSING":
	case "":
		return Status{}, k.unusable(ans, "it has no status", nil)
	default:
		c.logState(k.show(state, maxName), jobID)
	}
	return s, nil
}

// reason prefers "error", which is a job's own, to a general "message".
func (r refusal) reason() string {
	return cmp.Or(refusal{Error: r.Error}.message(), string(r.Message))
}

// logState tells of a job state that this client does not know, once for each.
func (c *Client) logState(state, jobID string) {
	c.mu.Lock()
	known := c.states[state] || len(c.states) >= 100
	if !known {
		c.states[state] = true
	}
	c.mu.Unlock()
	if !known {
		c.log.Warn("unknown job state, taken as not finished", "state", state, "job_id", jobID)
	}
}

// jobAnswer is the body of the answer to a poll.
type jobAnswer struct {
	ID               text            `json:"id"`
	IdentificationID text            `json:"identification_id"`
	Status           text            `json:"status"`
	Requested        date            `json:"request_timestamp"`
	Responded        date            `json:"response_timestamp"`
	DocumentType     typeAnswer      `json:"document_type"`
	Alternatives     []typeAnswer    `json:"alternatives"`
	Error            json.RawMessage `json:"error"`
	Message          text            `json:"message"`
}

type typeAnswer struct {
	Code       text     `json:"code"`
	Name       text     `json:"name"`
	Confidence sureness `json:"confidence"`
}

// typeOf reads one type. A code that is empty, or is an echo of the key, which
// would become the name of a folder, is none.
func (k *call) typeOf(t typeAnswer) (Type, bool) {
	if t.Code == "" || k.holdsKey(string(t.Code)) {
		return Type{}, false
	}
	return Type{
		Code:       cut(string(t.Code), maxCode),
		Name:       k.show(string(t.Name), maxName),
		Confidence: float64(t.Confidence),
	}, true
}

func (k *call) typesOf(list []typeAnswer) []Type {
	var types []Type
	for _, a := range list {
		if t, ok := k.typeOf(a); ok && len(types) < maxAlternatives {
			types = append(types, t)
		}
	}
	return types
}

// sureness is a confidence that is also read from a string.
type sureness float64

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (s *sureness) UnmarshalJSON(b []byte) error {
	*s = sureness(confidence(b))
	return nil
}

// confidence reads a number, also from a string, into [0, 1]; what is none is
// 0, so that it goes to review rather than past it.
func confidence(raw json.RawMessage) float64 {
	// A number too large for a float comes back as an infinity.
	f, _ := strconv.ParseFloat(strings.TrimSpace(unquote(raw)), 64)
	if math.IsNaN(f) {
		return 0
	}
	return min(max(f, 0), 1)
}

// query makes a GET and reads its answer into v.
func (k *call) query(ctx context.Context, u *url.URL, v any) (*answer, *Error) {
	ctx = k.watch(ctx, k.client.cfg.QueryTimeout, k.client.cfg.QueryTimeout)
	defer k.stop()
	req, e := k.request(ctx, http.MethodGet, u)
	if e != nil {
		return nil, e
	}
	ans, e := k.do(req)
	if e == nil {
		e = k.refused(ans)
	}
	if e == nil {
		e = k.decode(ans, v)
	}
	return ans, e
}
