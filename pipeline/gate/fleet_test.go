package gate_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"docusort/pipeline/gate"
)

// sharedLimit is a limit that several clients use.
type sharedLimit struct {
	mu sync.Mutex
	limiter
}

func (l *sharedLimit) take(now time.Time) (bool, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limiter.take(now)
}

// fleet is several gates that know nothing of each other and use one limit.
type fleet struct {
	door      *door
	limit     *sharedLimit
	perMinute float64
	clients   []*service
	ends      []func()
}

// join starts one more client, which takes all that it gets.
func (f *fleet) join() {
	d := &door{t: f.door.t, begun: f.door.begun}
	d.Gate = gate.New(0, d, d.answerPing)
	s := &service{limit: f.limit, perMinute: f.perMinute}
	f.clients, f.ends = append(f.clients, s), append(f.ends, d.saturate(s, 16, 4))
}

// shares returns how much of the limit all use together in this span, how many of their
// requests are refused, and the share of each, where 1 is an even one.
func (f *fleet) shares(span time.Duration) (used, refused float64, each []float64) {
	var accepted, turnedAway float64
	before := make([][3]int, len(f.clients))
	for i, s := range f.clients {
		before[i][0], before[i][1], before[i][2] = s.counts()
	}
	time.Sleep(span)
	for i, s := range f.clients {
		p, q, r := s.counts()
		n := float64(p + q - before[i][0] - before[i][1])
		accepted, turnedAway = accepted+n, turnedAway+float64(r-before[i][2])
		each = append(each, n*float64(len(f.clients))/(f.perMinute*span.Minutes()))
	}
	return 100 * accepted / (f.perMinute * span.Minutes()), 100 * turnedAway / (accepted + turnedAway), each
}

// Five daemons on five machines use one account, whose limit nobody told them of. They
// use nearly all of it, and each gets its share: one that joins late does within minutes.
// No limits of a second are among these: five that do not know of each other cannot but
// collide there.
func TestLimitOfAFleet(t *testing.T) {
	for _, perMinute := range []int{60, 600} {
		for _, kind := range []string{"window", "window by clock", "log", "bucket", "small bucket"} {
			t.Run(fmt.Sprintf("%s of %d a minute", kind, perMinute), func(t *testing.T) {
				inBubble(t, 0, func(d *door) {
					f := &fleet{door: d, limit: &sharedLimit{limiter: simulated(perMinute)[kind]}, perMinute: float64(perMinute)}
					for range 4 {
						f.join()
						time.Sleep(7 * time.Second)
					}
					time.Sleep(10 * time.Minute)
					f.join()
					time.Sleep(5 * time.Minute)
					if _, _, each := f.shares(5 * time.Minute); each[4] < 0.5 {
						t.Errorf("the late one has a share of %.2f after five minutes", each[4])
					}
					used, refused, each := f.shares(30 * time.Minute)
					if used < 90 || refused >= 5 || slices.Min(each) < 0.5 {
						t.Errorf("used %.1f %%, refused %.2f %%, shares %.2f", used, refused, each)
					}
					for _, end := range f.ends {
						end()
					}
				})
			})
		}
	}
}
