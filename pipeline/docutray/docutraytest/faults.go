package docutraytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Faults are what goes wrong. Rates are probabilities from 0 to 1. The zero
// value is no fault.
type Faults struct {
	// Outage is an outage of the whole service.
	Outage Outage `json:"outage"`
	// Account is trouble with the account.
	Account AccountState `json:"account"`
	// Quota, Used and ResetDate are told with AccountQuotaUsed.
	Quota     int       `json:"quota"`
	Used      int       `json:"used"`
	ResetDate time.Time `json:"reset_date,omitzero"`

	// FailSubmit answers a submission with 408, 500, 502 or 503; no job.
	FailSubmit float64 `json:"fail_submit"`
	// FailPoll answers a poll so.
	FailPoll float64 `json:"fail_poll"`
	// DropBefore drops the connection of a submission before its job is made:
	// at its start, in its middle, or after its whole body.
	DropBefore float64 `json:"drop_before"`
	// DropAfter drops it after the job was made.
	DropAfter float64 `json:"drop_after"`
	// DropPoll drops the connection of a poll.
	DropPoll float64 `json:"drop_poll"`
	// BrokenJSON cuts a 2xx answer short; a submission's job is made.
	BrokenJSON float64 `json:"broken_json"`
	// Stall holds a request for StallFor before anything of it is read, or
	// until the client gives up.
	Stall    float64  `json:"stall"`
	StallFor Duration `json:"stall_for"`

	// JobError ends a job in ERROR, JobNever never ends it, JobForget lets
	// each poll of it find nothing. They are drawn when the job is made.
	JobError  float64 `json:"job_error"`
	JobNever  float64 `json:"job_never"`
	JobForget float64 `json:"job_forget"`
}

// Outage is a way in which the whole service is away.
type Outage string

// The outages.
const (
	OutageNone        Outage = ""
	OutageUnavailable Outage = "503"  // every request is answered 503
	OutageDrop        Outage = "drop" // every connection is dropped
)

// AccountState is the state of the account behind the key.
type AccountState string

// The states of an account.
const (
	AccountGood       AccountState = ""
	AccountKeyRevoked AccountState = "401"      // every request
	AccountQuotaUsed  AccountState = "402"      // submissions; polls go on
	AccountNoTypes    AccountState = "403-post" // every type is refused at submission
	AccountNoAccess   AccountState = "403-get"  // every poll is refused
)

// Duration is a time.Duration that reads and writes as "1.5s" in JSON.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// ErrFaults is wrapped by the errors of [Faults.Check].
var ErrFaults = errors.New("unusable faults")

// Check refuses rates outside 0 to 1 and unknown states.
func (f Faults) Check() error {
	for name, rate := range map[string]float64{
		"fail_submit": f.FailSubmit, "fail_poll": f.FailPoll, "drop_before": f.DropBefore,
		"drop_after": f.DropAfter, "drop_poll": f.DropPoll, "broken_json": f.BrokenJSON, "stall": f.Stall,
		"job_error": f.JobError, "job_never": f.JobNever, "job_forget": f.JobForget,
	} {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("%w: %s is %v, it must be from 0 to 1", ErrFaults, name, rate)
		}
	}
	switch f.Outage {
	case OutageNone, OutageUnavailable, OutageDrop:
	default:
		return fmt.Errorf("%w: no outage %q", ErrFaults, f.Outage)
	}
	switch f.Account {
	case AccountGood, AccountKeyRevoked, AccountQuotaUsed, AccountNoTypes, AccountNoAccess:
	default:
		return fmt.Errorf("%w: no account state %q", ErrFaults, f.Account)
	}
	if f.StallFor < 0 {
		return fmt.Errorf("%w: stall_for is negative", ErrFaults)
	}
	return nil
}

// SetFaults replaces the faults, for all requests that arrive from now on.
func (s *Server) SetFaults(f Faults) { s.faults.Store(&f) }

// Faults returns the faults in force.
func (s *Server) Faults() Faults { return *s.faults.Load() }

// SetOutage changes the outage only.
func (s *Server) SetOutage(o Outage) { s.changeFaults(func(f *Faults) { f.Outage = o }) }

// SetAccount changes the account's state only. resetDate is told with
// AccountQuotaUsed and may be zero.
func (s *Server) SetAccount(a AccountState, resetDate time.Time) {
	s.changeFaults(func(f *Faults) { f.Account, f.ResetDate = a, resetDate })
}

func (s *Server) changeFaults(change func(*Faults)) {
	for {
		old := s.faults.Load()
		f := *old
		change(&f)
		if s.faults.CompareAndSwap(old, &f) {
			return
		}
	}
}

// draw returns the source of one request's chances: a function of the seed
// and of how many requests came before.
func (s *Server) draw() *rand.Rand {
	return rand.New(rand.NewPCG(s.opts.Seed, s.requests.Add(1)))
}

// chance draws an event of probability p.
func chance(d *rand.Rand, p float64) bool { return d.Float64() < p }

// breakDown has a request stall, or drops it in an outage.
func (s *Server) breakDown(r *http.Request, f Faults, d *rand.Rand) {
	if chance(d, f.Stall) {
		t := time.NewTimer(time.Duration(f.StallFor))
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			drop()
		}
	}
	if f.Outage == OutageDrop {
		drop()
	}
}

// drop ends the handler so that the connection is cut without an answer.
func drop() { panic(http.ErrAbortHandler) }

// serveFaults lets an outside program read, merge (POST, PUT) and end (DELETE)
// the faults.
func (s *Server) serveFaults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		s.SetFaults(Faults{})
	case http.MethodPost, http.MethodPut:
		f := s.Faults()
		dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := dec.Decode(&f)
		if err == nil {
			err = f.Check()
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"message": "stand-in: " + err.Error()})
			return
		}
		s.SetFaults(f)
	default:
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"message": "stand-in: GET, POST or DELETE"})
		return
	}
	writeJSON(w, http.StatusOK, s.Faults())
}
