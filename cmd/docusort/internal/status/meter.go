package status

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Meter counts the requests to the service.
type Meter struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	last     atomic.Int64 // Unix nanoseconds of the last 2xx answer; 0: none
}

// NewMeter returns a meter that has counted nothing.
func NewMeter() *Meter {
	return &Meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docusort_api_requests_total",
			Help: "Requests to the service, by operation and status of the answer; the code is none if there was no answer.",
		}, []string{"operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "docusort_api_request_duration_seconds", Help: "How long requests to the service took, by operation.",
			Buckets: []float64{0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"operation"}),
	}
}

// Observe counts a request; see docutray.Config. Any goroutine may call it.
func (m *Meter) Observe(op string, status int, took time.Duration) {
	code := "none"
	if status != 0 {
		code = strconv.Itoa(status)
	}
	op = strings.ReplaceAll(op, " ", "_")
	m.requests.WithLabelValues(op, code).Inc()
	m.seconds.WithLabelValues(op).Observe(took.Seconds())
	if status/100 == 2 {
		m.last.Store(time.Now().UnixNano())
	}
}

// answered returns when the service last gave a 2xx answer.
func (m *Meter) answered() time.Time {
	if ns := m.last.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}
