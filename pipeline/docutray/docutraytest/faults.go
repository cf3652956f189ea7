package docutraytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Faults are what goes wrong. Rates are probabilities from 0 to 1. The zero
// value is no fault.
type Faults struct {
	// Outage is an outage of the whole service.
	Outage Outage `json:"outage"`
	// Account is trouble with the account.
	Account AccountState `json:"account"`
	// ResetDate is reported with AccountQuotaUsed, unless it is zero.
	ResetDate time.Time `json:"reset_date,omitzero"`

	// FailSubmit answers a submission with 408, 500, 502 or 503. It makes no job.
	FailSubmit float64 `json:"fail_submit"`
	// FailPoll answers a poll in the same way.
	FailPoll float64 `json:"fail_poll"`
	// DropBefore drops the connection of a submission before its job is made:
	// at the start, in the middle, or after the whole body.
	DropBefore float64 `json:"drop_before"`
	// DropAfter drops it after the job was made.
	DropAfter float64 `json:"drop_after"`
	// DropPoll drops the connection of a poll.
	DropPoll float64 `json:"drop_poll"`
	// BrokenJSON cuts a 2xx answer short. A submission's job is made.
	BrokenJSON float64 `json:"broken_json"`
	// Stall delays a request by StallFor before any of it is read.
	Stall    float64  `json:"stall"`
	StallFor Duration `json:"stall_for"`

	// JobError ends a job in ERROR. JobNever never ends it. JobForget makes
	// every poll of it find nothing. They are drawn when the job is made.
	JobError  float64 `json:"job_error"`
	JobNever  float64 `json:"job_never"`
	JobForget float64 `json:"job_forget"`
}

// Outage is a kind of outage of the whole service.
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
	AccountKeyRevoked AccountState = "401"      // every request is refused
	AccountQuotaUsed  AccountState = "402"      // submissions are refused
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

// Check refuses rates outside 0 to 1 and unknown states.
func (f Faults) Check() error {
	for name, rate := range map[string]float64{
		"fail_submit": f.FailSubmit, "fail_poll": f.FailPoll, "drop_before": f.DropBefore,
		"drop_after": f.DropAfter, "drop_poll": f.DropPoll, "broken_json": f.BrokenJSON, "stall": f.Stall,
		"job_error": f.JobError, "job_never": f.JobNever, "job_forget": f.JobForget,
	} {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("%s is %v, it must be from 0 to 1", name, rate)
		}
	}
	if !slices.Contains([]Outage{OutageNone, OutageUnavailable, OutageDrop}, f.Outage) {
		return fmt.Errorf("no outage %q", f.Outage)
	}
	if !slices.Contains([]AccountState{AccountGood, AccountKeyRevoked, AccountQuotaUsed, AccountNoTypes, AccountNoAccess}, f.Account) {
		return fmt.Errorf("no account state %q", f.Account)
	}
	if f.StallFor < 0 {
		return errors.New("stall_for is negative")
	}
	return nil
}

// SetFaults replaces the faults for all requests that arrive from now on.
func (s *Server) SetFaults(f Faults) { s.faults.Store(&f) }

// Faults returns the current faults.
func (s *Server) Faults() Faults { return *s.faults.Load() }

// SetOutage changes the outage only.
func (s *Server) SetOutage(o Outage) {
	f := s.Faults()
	f.Outage = o
	s.SetFaults(f)
}

// SetAccount changes the state of the account only. resetDate may be zero.
func (s *Server) SetAccount(a AccountState, resetDate time.Time) {
	f := s.Faults()
	f.Account, f.ResetDate = a, resetDate
	s.SetFaults(f)
}

// draw returns the random source of one request, which depends on the seed and
// the number of requests before it.
func (s *Server) draw() *rand.Rand {
	return rand.New(rand.NewPCG(s.opts.Seed, s.requests.Add(1)))
}

// chance draws an event of probability p.
func chance(d *rand.Rand, p float64) bool { return d.Float64() < p }

// stallOrDrop applies the faults that precede everything else.
func stallOrDrop(r *http.Request, f Faults, d *rand.Rand) {
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

// drop ends the handler and cuts the connection without an answer.
func drop() { panic(http.ErrAbortHandler) }
