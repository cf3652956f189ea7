package wording

import (
	"fmt"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// Level is how much a line calls for a person.
type Level int

// The levels.
const (
	Fine    Level = iota
	Notice        // nothing is done, or only for a while
	Trouble       // something is wrong
)

// String returns the name of a level, which is also its class in HTML.
func (l Level) String() string { return [...]string{"fine", "notice", "trouble"}[l] }

// Mark is the sign before a line.
func (l Level) Mark() string { return [...]string{"●", "○", "✗"}[l] }

// Line is a line about the daemon.
type Line struct {
	Level Level
	Text  string
}

// Daemon says whether the daemon runs.
func Daemon(d store.Daemon, now time.Time) Line {
	switch {
	case d.Running && d.StartedAt.IsZero():
		return Line{Fine, "docusort is starting"}
	case d.Running:
		return Line{Fine, fmt.Sprintf("docusort has been running since %s, pid %d", display.Moment(d.StartedAt, now), d.PID)}
	case d.StartedAt.IsZero():
		return Line{Notice, "docusort is not running and has never run"}
	case d.StoppedAt.IsZero():
		return Line{Trouble, fmt.Sprintf("docusort is not running: it was killed or lost power some time after it started at %s; "+
			"it continues its work when it starts again", display.Moment(d.StartedAt, now))}
	}
	return Line{Notice, "docusort is not running: it stopped at " + display.Moment(d.StoppedAt, now)}
}

// HoldLine is a line about a hold, with why it is there and what to do about it.
type HoldLine struct {
	Line
	Reason, Advice string
}

// Hold says what the daemon waits for, since when, and until when. It returns nil
// where there is no hold.
func Hold(h *store.Hold, now time.Time) *HoldLine {
	if h == nil {
		return nil
	}
	text := fmt.Sprintf("on hold (%s) since %s", h.Kind, display.Moment(h.Since, now))
	if !h.Until.IsZero() {
		text += ", until " + display.Moment(h.Until, now)
	}
	level := Trouble
	if h.Kind == store.HoldRate {
		level = Notice
	}
	return &HoldLine{Line{level, text}, display.Prose(h.Reason), advice[h.Kind]}
}

var advice = map[store.HoldKind]string{
	store.HoldAccount: "The service refuses this account: check its key, its quota and its permissions. " +
		"docusort tries again by itself. Until then documents stay in the inbox, and none fails because of it.",
	store.HoldDisk: "The disk of the database or of the sorted folder is full, broken or read-only: free some space, or repair it. " +
		"docusort tries again by itself. Until then documents stay where they are, and none fails because of it.",
	store.HoldService: "The service or the network is down. If the network works, there is nothing to do here. " +
		"docusort tries again by itself. Until then documents stay in the inbox, and none fails because of it.",
	store.HoldRate: "The service asked for a pause. There is nothing to do: " +
		"docusort continues when it is over, and no document fails because of it.",
}
