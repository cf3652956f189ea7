package web

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// Document is a document as the templates show it.
type Document struct {
	d    *store.Document
	now  time.Time
	from settings.Source
}

// The methods below are for the templates.

func (d Document) ID() int64          { return d.d.ID }
func (d Document) State() string      { return string(d.d.State) }
func (d Document) Word() string       { return wording.State(d.d.State) }
func (d Document) Name() string       { return display.Printable(d.d.Source) }
func (d Document) Type() string       { return display.Printable(d.d.Type) }
func (d Document) Why() string        { return display.Prose(d.d.Error) }
func (d Document) Path() string       { return display.Printable(wording.Path(d.d)) }
func (d Document) Decide() string     { return wording.Decide(d.d, d.from) }
func (d Document) Considered() string { return wording.Considered(d.d) }

// Decided says how the type was found.
func (d Document) Decided() string {
	var parts []string
	if d.d.Rated() {
		parts = append(parts, fmt.Sprintf("confidence %.2f", d.d.Confidence))
	}
	if d.d.DecidedBy() == store.ByPerson {
		parts = append(parts, "decided by a person")
	}
	return strings.Join(parts, ", ")
}

// Last is the last change, without text.
func (d Document) Last() Event {
	changes := []time.Time{d.d.DiscoveredAt, d.d.SubmittedAt, d.d.IdentifiedAt, d.d.FinishedAt, d.d.DecidedAt}
	last := slices.MaxFunc(changes, time.Time.Compare)
	return Event{When: display.Clock(last, d.now), Stamp: stamp(last)}
}

// Event is one step on a document's way.
type Event struct {
	When, Stamp string // for people and for machines; empty: no particular time
	Text        string
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Events tells a document's way in the order in which it went.
func (d Document) Events() (all []Event) {
	doc := d.d
	add := func(at time.Time, text string) {
		e := Event{Text: text}
		if !at.IsZero() {
			e.When, e.Stamp = display.ClockSeconds(at, d.now), stamp(at)
		}
		all = append(all, e)
	}
	found := "found in the inbox: " + display.Size(doc.Identity.Size)
	if doc.ContentType != "" {
		found += ", " + display.Prose(doc.ContentType)
	}
	add(doc.DiscoveredAt, found)
	if doc.Phase == store.PhaseEqual {
		add(time.Time{}, "waiting for the answer for an identical document")
	}
	if !doc.SubmittedAt.IsZero() {
		add(doc.SubmittedAt, submission(doc))
	}
	if !doc.IdentifiedAt.IsZero() && doc.Type != "" {
		add(doc.IdentifiedAt, identification(doc))
	}
	add(doc.FinishedAt, ending(doc, d.now))
	if !doc.DecidedAt.IsZero() && !doc.Reused {
		add(doc.DecidedAt, "filed as "+display.Printable(doc.Type)+" by a person")
	}
	return all
}

func identification(d *store.Document) string {
	switch {
	case d.Reused && !d.DecidedAt.IsZero():
		return "identified as " + display.Printable(d.Type) + ", by a person's decision for identical content"
	case !d.Rated():
		return "identified as another type"
	}
	text := fmt.Sprintf("identified as %s with confidence %.2f", display.Printable(d.Type), d.Confidence)
	if d.Reused {
		text += ", by the answer for identical content"
	}
	return text
}

func submission(d *store.Document) string {
	text := "submitted"
	if d.Submissions > 1 {
		text += " " + times(d.Submissions)
	}
	if d.Submissions > 1 && d.Attempts < d.Submissions {
		text += ", " + cmp.Or(map[int]string{0: "none", 1: "one"}[d.Attempts], display.Count(d.Attempts)) + " of them paid for"
		if d.OutcomeUnknown {
			text += ", and perhaps one more"
		}
	}
	if d.Resubmissions > 0 {
		text += ", " + times(d.Resubmissions) + " after a submission that was or may have been accepted"
	}
	if d.JobID != "" {
		text += ", job " + display.Printable(d.JobID)
	}
	if d.Polls > 0 {
		text += ", polled " + times(d.Polls)
	}
	return text
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return display.Count(n) + " times"
}

// ending says what became of a document, or what is to become of it.
func ending(d *store.Document, now time.Time) string {
	why := display.Prose(d.Error)
	place := display.Printable(filepath.Join(d.Sorted, d.Target))
	switch d.State {
	case store.Filed:
		return "filed: " + place
	case store.Review:
		return "filed for review because of low confidence: " + place
	case store.Failed:
		return "failed: " + why + "; moved to " + place
	case store.Gone:
		return "gone: " + why
	case store.Submitting:
		return "uploading"
	case store.Pending:
		return "the service is working on it"
	case store.Identified:
		if why != "" {
			return "not moved yet: " + why
		}
		return "moving to its folder"
	}
	if why == "" && !d.RetryAt.After(now) {
		return "waiting for its turn"
	}
	text := "waiting: " + why
	if d.RetryAt.After(now) {
		text += "; next attempt at " + display.ClockSeconds(d.RetryAt, now)
	}
	return text
}
