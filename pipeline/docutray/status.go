package docutray

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is how far a job is.
type State int

// The states of a job.
const (
	// InProgress: poll again later. An unknown state counts as this one.
	InProgress State = iota
	// Succeeded: the Type is known.
	Succeeded
	// NoType: the service reports success but names no type. It documents no
	// such answer, which may change: poll for a minute before acting on it.
	NoType
	// Failed: the service gave up, for the reason in Error.
	Failed
)

// Status is the answer to a poll.
type Status struct {
	State State
	// Type is the identified type if State is Succeeded. Its code is not empty.
	// It need not be one of the options, and may contain anything: make it safe
	// before using it in a path.
	Type Type
	// Alternatives are the types that the service considered, in its order, at
	// most 100.
	Alternatives []Type
	// Error is the service's reason if State is Failed. It may be empty.
	Error string
	// Took is how long the job took by the service's clock, or 0 if unknown.
	Took time.Duration
}

// Type is a document type and the service's confidence in it, from 0 to 1.
type Type struct {
	Code       string  `json:"code"`
	Confidence float64 `json:"confidence"`
}

const maxAlternatives = 100

// Status polls a job. The error is an [*Error], of class Missing if the service
// does not know the job. An answer that cannot be used is of class Service: the
// job still exists.
func (c *Client) Status(ctx context.Context, jobID string) (Status, error) {
	if err := checkJobID(jobID); err != nil {
		return Status{}, &Error{Op: OpStatus, Class: Local, Err: err}
	}
	k := c.newCall(OpStatus)
	var body jobAnswer
	ans, e := k.query(ctx, c.address(pathStatus+jobID, pathStatus+url.PathEscape(jobID)), &body)
	if e != nil {
		return Status{}, e
	}
	if len(ans.ids) > 0 && !slices.Contains(ans.ids, jobID) {
		return Status{}, k.unusable(ans, "about another job", nil)
	}
	s := Status{Took: body.took()}
	switch state := strings.ToUpper(strings.TrimSpace(string(body.Status))); state {
	case "SUCCESS":
		why := ""
		if s.State, s.Type, why = k.success(body.DocumentType); why != "" {
			return Status{}, k.unusable(ans, why, nil)
		}
		s.Alternatives = k.types(body.Alternatives)
	case "ERROR":
		s.State = Failed
		said := parseErrorBody(ans.object)
		s.Error = k.show(cmp.Or(said.message(), said.details().join(), listOf(body.Error).join()), maxMessage)
	case "ENQUEUED", "PROCESSING":
	case "":
		return Status{}, k.unusable(ans, "no status", nil)
	default:
		c.unknownState.Do(func() {
			c.cfg.Logger.Warn("unknown job state, taken as unfinished", "state", k.show(state, maxName), "job_id", jobID)
		})
	}
	return s, nil
}

// jobAnswer is the body of the answer to a poll.
type jobAnswer struct {
	Status       text            `json:"status"`
	Requested    text            `json:"request_timestamp"`
	Responded    text            `json:"response_timestamp"`
	DocumentType json.RawMessage `json:"document_type"`
	Alternatives []typeAnswer    `json:"alternatives"`
	Error        json.RawMessage `json:"error"`
}

type typeAnswer struct {
	Code       text       `json:"code"`
	Confidence confidence `json:"confidence"`
}

// took returns how long the job took, or 0.
func (a jobAnswer) took() time.Duration {
	begun, ended := parseTime(a.Requested), parseTime(a.Responded)
	if begun.IsZero() || ended.IsZero() {
		return 0
	}
	return max(0, ended.Sub(begun))
}

// success reads the type of a job that succeeded, or says why it cannot be used.
// A code that echoes the key would become the name of a folder.
func (k *call) success(raw json.RawMessage) (_ State, _ Type, why string) {
	var t typeAnswer
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return NoType, Type{}, ""
	case !isObject(raw) || json.Unmarshal(raw, &t) != nil || k.hidesKey(string(t.Code)):
		return 0, Type{}, "success with an unusable type"
	case clean(string(t.Code)) == "":
		return NoType, Type{}, ""
	}
	return Succeeded, t.value(), ""
}

func (t typeAnswer) value() Type {
	return Type{Code: cut(string(t.Code), maxCode), Confidence: float64(t.Confidence)}
}

// types returns the usable types of a list.
func (k *call) types(list []typeAnswer) []Type {
	var types []Type
	for _, t := range list {
		if clean(string(t.Code)) != "" && !k.hidesKey(string(t.Code)) && len(types) < maxAlternatives {
			types = append(types, t.value())
		}
	}
	return types
}

// confidence is a number from 0 to 1. It also accepts text and percentages.
// Anything else is 0, so that the document goes to review.
type confidence float64

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (c *confidence) UnmarshalJSON(b []byte) error {
	s := strings.TrimSpace(scalar(b))
	number, percent := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent || f > 1 {
		f /= 100
	}
	if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
		f = 0
	}
	*c = confidence(f)
	return nil
}
