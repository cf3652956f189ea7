package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// windows is how many of the limit's windows are looked at.
const windows = 2

// limitKinds are the ways in which the stand-in's limit counts.
var limitKinds = []struct{ name, burst string }{
	{"a window", "0"},
	{"a bucket of 50", "50"},
}

// measureLimits: whoever waits too long after a 429 wastes what is paid for, and
// whoever asks too early is refused.
func measureLimits(ctx context.Context, b *bench) error {
	for _, kind := range limitKinds {
		if err := measureLimit(ctx, b, kind.name, kind.burst); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	return nil
}

func measureLimit(ctx context.Context, b *bench, kind, burst string) error {
	limit, window := pick(b, 600, 200), pick(b, time.Minute, 20*time.Second)
	s, err := b.newSite()
	if err != nil {
		return err
	}
	if err := writeDocuments(s.inbox, (windows+1)*limit, smallest); err != nil {
		return err
	}
	service, err := b.startStandIn(ctx, "--latency", "2s", "--sigma", "0.35",
		"--rate-limit", strconv.Itoa(limit), "--rate-window", window.String(), "--rate-burst", burst)
	if err != nil {
		return err
	}
	d, err := b.startDaemon(ctx, s, service)
	if err != nil {
		return err
	}
	var used, refused []float64
	err = d.until(ctx, "end of the windows", time.Minute+(windows+1)*window, 50*time.Millisecond, func() (bool, error) {
		st, err := service.stats(ctx)
		if err != nil || len(st.RateWindows) <= windows {
			return false, err
		}
		// A window begins with the first request after the one before it, so
		// what was lost in between counts.
		w := st.RateWindows
		allowed := float64(limit) * w[windows].Began.Sub(w[0].Began).Seconds() / window.Seconds()
		taken, turnedAway := 0, 0
		for _, w := range w[:windows] {
			taken, turnedAway = taken+w.Accepted, turnedAway+w.Refused
		}
		used = []float64{100 * float64(taken) / allowed}
		refused = []float64{100 * float64(turnedAway) / float64(taken+turnedAway)}
		return true, nil
	})
	if err != nil {
		return err
	}
	b.report("share of the limit used, "+kind, "≥ 95 %", "%", used, fmt.Sprintf("%d requests in %v, %d times", limit, window, windows))
	b.report("share of the requests refused, "+kind, "< 2 %", "%", refused, "")
	if err := d.stop(); err != nil {
		return err
	}
	if err := service.stop(); err != nil {
		return err
	}
	return s.remove()
}
