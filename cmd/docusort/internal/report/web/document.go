package web

import (
	"fmt"
	"path/filepath"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// Document is a document as a page shows it.
type Document struct {
	ID                int64
	State, Word       string // the state, and what people call it
	Name, Type, Error string
	Confidence        string
	Path              string // where it lies, once it was moved
	When              string // of its last change
	Stamp             string // the same for machines
	Story             []Event
}

// Event is a line of a document's story.
type Event struct{ When, Stamp, Text string }

var stateWords = map[store.State]string{store.Submitting: "uploading", store.Review: "in review"}

// Show makes a document fit to be shown.
func Show(d *store.Document, now time.Time) Document {
	out := Document{
		ID: d.ID, State: string(d.State), Word: string(d.State),
		Name: display.Printable(d.Source), Type: display.Printable(d.Type), Error: display.Prose(d.Error),
	}
	if word, ok := stateWords[d.State]; ok {
		out.Word = word
	}
	if d.Type != "" {
		out.Confidence = fmt.Sprintf("%.2f", d.Confidence)
	}
	if d.Target != "" && d.State.Finished() {
		out.Path = display.Printable(filepath.Join(d.Sorted, d.Target))
	}
	last := d.DiscoveredAt
	for _, at := range []time.Time{d.SubmittedAt, d.IdentifiedAt, d.FinishedAt} {
		if at.After(last) {
			last = at
		}
	}
	out.When, out.Stamp = display.Clock(last, now), stamp(last)
	out.Story = story(d, now)
	return out
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// story tells a document's way in the order in which it went.
func story(d *store.Document, now time.Time) []Event {
	var events []Event
	tell := func(at time.Time, format string, args ...any) {
		e := Event{Text: fmt.Sprintf(format, args...)}
		if !at.IsZero() {
			e.When, e.Stamp = clock(at, now), stamp(at)
		}
		events = append(events, e)
	}
	about := bytes(d.Identity.Size)
	if d.ContentType != "" {
		about += ", " + display.Prose(d.ContentType)
	}
	tell(d.DiscoveredAt, "found in the inbox: %s", about)
	if d.WaitsFor != 0 && !d.State.Finished() {
		tell(time.Time{}, "waits for the answer about document %d, which is identical", d.WaitsFor)
	}
	if !d.SubmittedAt.IsZero() {
		text := "submitted"
		if d.Submissions > 1 {
			text += fmt.Sprintf(" for the %s time", ordinal(d.Submissions))
		}
		if d.Resubmissions > 0 {
			text += fmt.Sprintf("; %d of them after one that was accepted or may have been", d.Resubmissions)
		}
		if d.JobID != "" {
			text += ", job " + display.Printable(d.JobID)
		}
		if d.Polls > 0 {
			text += ", asked for the answer " + times(d.Polls)
		}
		tell(d.SubmittedAt, "%s", text)
	}
	if !d.IdentifiedAt.IsZero() && d.Type != "" {
		text := fmt.Sprintf("identified as %s, with confidence %.2f", display.Printable(d.Type), d.Confidence)
		if d.Reused {
			text += ", by the answer about identical content"
		}
		tell(d.IdentifiedAt, "%s", text)
	}
	tell(d.FinishedAt, "%s", ending(d, now))
	return events
}

// ending says what became of a document, or what is to become of it.
func ending(d *store.Document, now time.Time) string {
	why := display.Prose(d.Error)
	place := display.Printable(filepath.Join(d.Sorted, d.Target))
	switch d.State {
	case store.Filed:
		return "filed: " + place
	case store.Review:
		return "put aside for review, because the confidence is low: " + place
	case store.Failed:
		return "failed, because: " + why + "; it lies in " + place
	case store.Gone:
		return "gone: " + why
	case store.Submitting:
		return "is being uploaded"
	case store.Pending:
		return "the service is at work on it"
	case store.Identified:
		if why != "" {
			return "is not moved yet, because: " + why
		}
		return "is being moved to its folder"
	}
	if !d.RetryAt.IsZero() && d.RetryAt.After(now) {
		return "waits, because: " + why + "; it is tried again at " + clock(d.RetryAt, now)
	}
	if why != "" {
		return "waits, because: " + why
	}
	return "waits for its turn"
}

// clock is a time to the second.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return display.Count(n) + " times"
}

// bytes writes a size as people do.
func bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
