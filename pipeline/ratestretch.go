package pipeline

import "time"

// stretch is what passed in a time without pause or rest, as far as the pace was
// about the same: its newer part, in which the pace rose by less than rise, and
// the part before.
type stretch struct {
	older, newer part
	rested       bool // it followed a rest, not a pause
}

type part struct {
	began   time.Time
	pace    float64 // when it began
	sent    int
	charged time.Duration // what they take at the pace
}

func (s *stretch) add(now time.Time, pace float64) {
	if s.newer.sent >= fewest && pace > rise*s.newer.pace && now.Sub(s.newer.began) >= shortest {
		s.older, s.newer = s.newer, part{}
	}
	if s.newer.sent == 0 {
		s.newer.began, s.newer.pace = now, pace
	}
	s.newer.sent++
	s.newer.charged += duration(1 / pace)
}

func (s *stretch) sent() int { return s.older.sent + s.newer.sent }

// span is how long it took, less where there was nothing to send.
func (s *stretch) span(now time.Time) time.Duration {
	began := s.older.began
	if began.IsZero() {
		began = s.newer.began
	}
	return min(now.Sub(began), s.older.charged+s.newer.charged)
}

// recent counts the requests of each of the last seconds.
type recent [64]struct {
	second int64
	sent   int
	first  time.Time
}

func (c *recent) add(now time.Time) {
	s := now.Unix()
	if at := &c[s%int64(len(c))]; at.second != s {
		at.second, at.sent, at.first = s, 1, now
	} else {
		at.sent++
	}
}

// most returns how many were sent in the span up to now in which they, with the
// pause that follows, make the quickest pace; and that span.
func (c *recent) most(now time.Time, pause time.Duration) (sent int, span time.Duration) {
	sum, best := 0, 0.0
	for s := now.Unix(); s > now.Unix()-int64(len(c)); s-- {
		at := c[s%int64(len(c))]
		if at.second != s {
			continue
		}
		sum += at.sent
		since := now.Sub(at.first)
		if pace := float64(sum) / max(since+pause, time.Millisecond).Seconds(); pace > best {
			best, sent, span = pace, sum, since
		}
	}
	return sent, span
}
