package main

import (
	"fmt"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// machines are several daemons that know nothing of each other, on one rate limit.
type machines struct {
	limit    int // requests a minute
	api      *docutraytest.Server
	daemons  []*daemon
	before   docutraytest.Stats
	accepted []int64 // before, of each
}

const inFleet = 5

// join starts n more.
func (m *machines) join(b *bench, n int) {
	for range n {
		m.daemons = append(m.daemons, b.startWith(serve(m.api), b.newSite(20*m.limit/inFleet, 2_000)))
	}
}

// note begins what add tells of.
func (m *machines) note() {
	m.before, m.accepted = m.api.Stats(), nil
	for _, d := range m.daemons {
		m.accepted = append(m.accepted, d.accepted.Load())
	}
}

func (m *machines) add(b *bench, minutes float64) {
	st, least := m.api.Stats(), 1.0
	for i, d := range m.daemons {
		least = min(least, float64(d.accepted.Load()-m.accepted[i])*inFleet/(minutes*float64(m.limit)))
	}
	requests, refused := float64(st.Requests-m.before.Requests), float64(st.Refused-m.before.Refused)
	what := fmt.Sprintf("%d a minute: ", m.limit)
	b.add(what+"used together", "%", 100*(requests-refused)/(minutes*float64(m.limit)))
	b.add(what+"refused of the requests", "%", 100*refused/requests)
	b.add(what+"least share, of an even one", "", least)
}

// fleet shows how much five daemons use together of a limit that none of them is told of,
// and the share of the one that has least. The last one joins late.
func (b *bench) fleet() {
	all := []*machines{{limit: 60}, {limit: 600}}
	for _, m := range all {
		m.api = docutraytest.New(docutraytest.Options{Seed: 1, Latency: 2 * time.Second, RateLimit: m.limit, RateWindow: time.Minute})
		m.join(b, inFleet-1)
	}
	b.sleep(time.Duration(pick(b, 10, 2)) * time.Minute)
	for _, m := range all {
		m.join(b, 1)
	}
	b.sleep(5 * time.Minute)
	for _, m := range all {
		m.note()
	}
	minutes := pick(b, 10, 4)
	b.sleep(time.Duration(minutes) * time.Minute)
	for _, m := range all {
		m.add(b, float64(minutes))
	}
	for _, m := range all {
		for _, d := range m.daemons {
			d.stop()
			d.site.remove()
		}
	}
}
