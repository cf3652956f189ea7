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

var (
	unfinishedDesc = prometheus.NewDesc("docusort_documents_unfinished", "Documents under way, by state.", []string{"state"}, nil)
	stuckDesc      = prometheus.NewDesc("docusort_documents_stuck",
		"Documents that have been unfinished for long for a reason of their own.", nil, nil)
	oldestDesc = prometheus.NewDesc("docusort_oldest_unfinished_age_seconds",
		"Age of the oldest unfinished document; 0 if there is none.", nil, nil)
	progressDesc = prometheus.NewDesc("docusort_last_progress_timestamp_seconds",
		"When a document last changed its state; 0 for never.", nil, nil)
	holdDesc     = prometheus.NewDesc("docusort_hold", "1 if the daemon is on a hold of this kind.", []string{"kind"}, nil)
	healthyDesc  = prometheus.NewDesc("docusort_healthy", "1 if /healthz says ok.", nil, nil)
	readableDesc = prometheus.NewDesc("docusort_record_readable", "1 if the database could be read.", nil, nil)
)

type collector struct{ cache *cache }

// Describe promises nothing: what there is depends on whether the database can be
// read.
func (collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.cache.state()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(healthyDesc, oneIf(s.health.Status == healthy))
	gauge(readableDesc, oneIf(s.err == nil))
	for _, counter := range c.cache.tally.collectors() {
		counter.Collect(ch)
	}
	if s.err != nil {
		return
	}
	for state, n := range s.progress.Unfinished {
		gauge(unfinishedDesc, float64(n), string(state))
	}
	gauge(stuckDesc, float64(s.progress.Stuck))
	age := 0.0
	if !s.progress.Oldest.IsZero() {
		age = max(0, time.Since(s.progress.Oldest).Seconds())
	}
	gauge(oldestDesc, age)
	last := 0.0
	if !s.progress.Last.IsZero() {
		last = float64(s.progress.Last.UnixMilli()) / 1000
	}
	gauge(progressDesc, last)
	hold := store.Hold{}
	if s.daemon.Hold != nil {
		hold = *s.daemon.Hold
	}
	for _, kind := range []store.HoldKind{store.HoldAccount, store.HoldDisk, store.HoldInbox, store.HoldService, store.HoldRate} {
		gauge(holdDesc, oneIf(hold.Kind == kind), string(kind))
	}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

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

func (m *Meter) answered() time.Time {
	if ns := m.last.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

func newMetrics(s *Server) http.Handler {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "docusort_build_info", Help: "1, labelled with the version that runs.",
		ConstLabels: prometheus.Labels{"version": s.cfg.Version, "commit": s.cfg.Commit, "goversion": runtime.Version()},
	})
	build.Set(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{s.cache}, s.cfg.Meter.requests, s.cfg.Meter.seconds, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: readTimeout})
}
