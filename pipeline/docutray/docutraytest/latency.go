package docutraytest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"time"
)

// latency is how long jobs take; see [Options].
type latency struct {
	Latency Duration `json:"latency"`
	Sigma   float64  `json:"sigma"`
}

// maxSigma is where spreads end to mean anything.
const maxSigma = 5

func (l latency) check() error {
	switch {
	case l.Latency < 0:
		return fmt.Errorf("the latency is negative")
	case !(l.Sigma >= 0 && l.Sigma <= maxSigma):
		return fmt.Errorf("sigma is %v, it must be from 0 to %d", l.Sigma, maxSigma)
	}
	return nil
}

// draw returns the time of one job.
func (l latency) draw(d *mathrand.Rand) time.Duration {
	if l.Sigma == 0 {
		return time.Duration(l.Latency)
	}
	return time.Duration(float64(l.Latency) * math.Exp(l.Sigma*d.NormFloat64()))
}

// SetLatency changes how long jobs take that are made from now on, as
// [Options.Latency] and [Options.Sigma] say.
func (s *Server) SetLatency(median time.Duration, sigma float64) {
	s.latency.Store(&latency{Duration(median), sigma})
}

// serveLatency lets an outside program read and merge (POST, PUT) them.
func (s *Server) serveLatency(w http.ResponseWriter, r *http.Request) {
	l := *s.latency.Load()
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost, http.MethodPut:
		dec := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := dec.Decode(&l)
		if err == nil {
			err = l.check()
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"message": "stand-in: " + err.Error()})
			return
		}
		s.latency.Store(&l)
	default:
		writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"message": "stand-in: GET or POST"})
		return
	}
	writeJSON(w, http.StatusOK, l)
}
