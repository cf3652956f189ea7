package status

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"docusort/store"
)

// Meter counts the requests to the service.
type Meter struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	last     atomic.Int64 // Unix nanoseconds of the newest answer that was of use; 0: none
}

// NewMeter returns a meter that has counted nothing.
func NewMeter() *Meter {
	return &Meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docusort_api_requests_total",
			Help: "Requests to the service, by operation and status of the answer; the code is none where no answer came.",
		}, []string{"operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "docusort_api_request_duration_seconds", Help: "How long requests to the service took, by operation.",
			Buckets: []float64{0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"operation"}),
	}
}

// Observe counts a request; see docutray.Config. It may be called by many at a time.
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

// answered returns when the service last gave an answer of use.
func (m *Meter) answered() time.Time {
	if ns := m.last.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

var (
	unfinishedDesc = prometheus.NewDesc("docusort_documents_unfinished", "Documents under way, by state.", []string{"state"}, nil)
	oldestDesc     = prometheus.NewDesc("docusort_oldest_unfinished_age_seconds",
		"Since when the oldest unfinished document has been known; 0 where there is none.", nil, nil)
	progressDesc = prometheus.NewDesc("docusort_last_progress_timestamp_seconds",
		"When a document last came to another state; 0: never.", nil, nil)
	holdDesc  = prometheus.NewDesc("docusort_hold", "1 where the daemon is on a hold of this kind.", []string{"kind"}, nil)
	untilDesc = prometheus.NewDesc("docusort_hold_until_timestamp_seconds",
		"When the hold ends; 0 where there is none or that is not known.", nil, nil)
	healthyDesc  = prometheus.NewDesc("docusort_healthy", "1 where /healthz says ok.", nil, nil)
	readableDesc = prometheus.NewDesc("docusort_record_readable", "1 where the database could be read.", nil, nil)
)

// recordCollector collects what stands in the record.
type recordCollector struct{ s *Server }

func (c recordCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{unfinishedDesc, oldestDesc, progressDesc, holdDesc, untilDesc, healthyDesc, readableDesc} {
		ch <- d
	}
	for _, part := range c.s.record.tallys.parts() {
		part.Describe(ch)
	}
}

func (c recordCollector) Collect(ch chan<- prometheus.Metric) {
	p := c.s.record.pulse()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(healthyDesc, oneIf(p.health.Status == healthy))
	gauge(readableDesc, oneIf(p.err == nil))
	for _, part := range c.s.record.tallys.parts() {
		part.Collect(ch)
	}
	if p.err != nil {
		return
	}
	for state, n := range p.progress.Unfinished {
		gauge(unfinishedDesc, float64(n), string(state))
	}
	age := 0.0
	if !p.progress.Oldest.IsZero() {
		age = max(0, time.Since(p.progress.Oldest).Seconds())
	}
	gauge(oldestDesc, age)
	gauge(progressDesc, unix(p.progress.Last))
	until := time.Time{}
	for _, kind := range []store.HoldKind{store.HoldAccount, store.HoldDisk, store.HoldService, store.HoldRate} {
		held := p.daemon.Hold != nil && p.daemon.Hold.Kind == kind
		gauge(holdDesc, oneIf(held), string(kind))
		if held {
			until = p.daemon.Hold.Until
		}
	}
	gauge(untilDesc, unix(until))
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// newRegistry has all metrics.
func newRegistry(s *Server) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "docusort_build_info", Help: "1, with what runs.",
		ConstLabels: prometheus.Labels{"version": s.cfg.Version, "commit": s.cfg.Commit, "goversion": runtime.Version()},
	})
	build.Set(1)
	viewers := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "docusort_status_viewers", Help: "Status pages that are open.",
	}, func() float64 { return float64(len(s.viewers)) })
	reg.MustRegister(recordCollector{s}, s.cfg.Meter.requests, s.cfg.Meter.seconds, build, viewers,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

func newMetrics(s *Server) http.Handler {
	return promhttp.HandlerFor(newRegistry(s), promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: readTimeout})
}
