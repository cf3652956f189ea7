package docutraytest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Faults are what goes wrong. A float64 is the probability, from 0 to 1, of what
// its usage says. The zero value is no fault.
type Faults struct {
	Outage    Outage       `json:"outage" usage:"every request is answered with this status, or dropped: 503, drop, ..."`
	Account   AccountState `json:"account" usage:"401: the key is revoked; 402, 429: the quota is used up; 403-post: no type may be used; 403-get: no job may be seen"`
	ResetDate time.Time    `json:"reset_date,omitzero" usage:"when the quota is renewed, for --account 402 and 429"`
	Page      bool         `json:"page" usage:"--outage and --submit-status answer with a web page, as a gateway does"`

	SubmitStatus int     `json:"submit_status" usage:"every submission is answered with this status, and makes no job"`
	Refuse       string  `json:"refuse" usage:"a document that contains this text is refused with 400"`
	FailSubmit   float64 `json:"fail_submit" usage:"a submission is answered 408, 500, 502 or 503, and makes no job"`
	DropBefore   float64 `json:"drop_before" usage:"the connection is dropped before the job is made: at the start, in the middle, or after the whole body"`
	DropAfter    float64 `json:"drop_after" usage:"the connection is dropped after the job was made"`
	NoID         float64 `json:"no_id" usage:"a submission makes a job, but the answer does not name it"`

	FailPoll    float64  `json:"fail_poll" usage:"a poll is answered 408, 500, 502 or 503"`
	DropPoll    float64  `json:"drop_poll" usage:"the connection of a poll is dropped"`
	SlowPoll    Duration `json:"slow_poll" usage:"how long a poll waits for its answer"`
	NotFoundFor Duration `json:"not_found_for" usage:"how long a job is unknown to polls after it was accepted"`

	BrokenJSON float64  `json:"broken_json" usage:"a 2xx answer is cut short; the job of a submission is made"`
	Gzip       float64  `json:"gzip" usage:"a 2xx answer is compressed, whatever the request accepts"`
	Stall      float64  `json:"stall" usage:"a request stalls for --stall-for before any of it is read"`
	StallFor   Duration `json:"stall_for" usage:"how long a stalled request waits"`

	// These are drawn when the job is made.
	JobError   float64 `json:"job_error" usage:"a job ends in ERROR"`
	JobNever   float64 `json:"job_never" usage:"a job never ends"`
	JobForget  float64 `json:"job_forget" usage:"a job is forgotten: no poll finds it"`
	JobUntyped float64 `json:"job_untyped" usage:"a job ends in SUCCESS without a type"`
}

// Each calls visit with the name and the usage of each fault, and a pointer to it.
func (f *Faults) Each(visit func(name, usage string, value any)) {
	v := reflect.ValueOf(f).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		visit(name, tag.Get("usage"), v.Field(i).Addr().Interface())
	}
}

// Outage is an outage of the whole service: the status of every answer, or OutageDrop.
type Outage string

// Some outages.
const (
	OutageNone        Outage = ""
	OutageUnavailable Outage = "503"
	OutageDrop        Outage = "drop" // every connection is dropped
)

// status returns the status of every answer, or 0.
func (o Outage) status() int {
	n, _ := strconv.Atoi(string(o))
	return n
}

// AccountState is the state of the account behind the key.
type AccountState string

// The states of an account.
const (
	AccountGood       AccountState = ""
	AccountKeyRevoked AccountState = "401"      // every request is refused
	AccountQuotaUsed  AccountState = "402"      // submissions are refused
	AccountQuota429   AccountState = "429"      // the same, in the other documented form
	AccountNoTypes    AccountState = "403-post" // every type is refused at submission
	AccountNoAccess   AccountState = "403-get"  // every poll is refused
)

var accountStates = []AccountState{AccountGood, AccountKeyRevoked, AccountQuotaUsed, AccountQuota429, AccountNoTypes, AccountNoAccess}

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

// Check refuses rates outside 0 to 1, negative durations and unknown states.
func (f Faults) Check() (err error) {
	f.Each(func(name, _ string, value any) {
		switch v := value.(type) {
		case *float64:
			if !(*v >= 0 && *v <= 1) {
				err = fmt.Errorf("%s is %v, it must be from 0 to 1", name, *v)
			}
		case *Duration:
			if *v < 0 {
				err = fmt.Errorf("%s is negative", name)
			}
		}
	})
	isStatus := func(n int) bool { return n >= 200 && n <= 599 }
	switch {
	case err != nil:
		return err
	case f.Outage != OutageNone && f.Outage != OutageDrop && !isStatus(f.Outage.status()):
		return fmt.Errorf("outage is %q, it must be a status from 200 to 599, or drop", f.Outage)
	case f.SubmitStatus != 0 && !isStatus(f.SubmitStatus):
		return fmt.Errorf("submit_status is %d, it must be from 200 to 599", f.SubmitStatus)
	case !slices.Contains(accountStates, f.Account):
		return fmt.Errorf("account is %q, it must be one of %q", f.Account, accountStates[1:])
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
		wait(r, time.Duration(f.StallFor))
	}
	if f.Outage == OutageDrop {
		drop()
	}
}

// wait pauses the handler, and drops the connection if the client leaves.
func wait(r *http.Request, pause time.Duration) {
	if pause == 0 {
		return
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
		drop()
	}
}

// drop ends the handler and cuts the connection without an answer.
func drop() { panic(http.ErrAbortHandler) }
