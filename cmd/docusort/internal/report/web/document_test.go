package web

import (
	"strings"
	"testing"
	"time"

	"docusort/store"
)

func TestEventsOfADocument(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	found, submitted, identified := now.Add(-26*time.Hour), now.Add(-3*time.Minute), now.Add(-time.Minute)
	for name, c := range map[string]struct {
		d    store.Document
		want string
	}{
		"new": {store.Document{State: store.Waiting},
			"waiting for its turn"},
		"identical": {store.Document{State: store.Waiting, Phase: store.PhaseEqual},
			"waiting for the answer for an identical document|waiting for its turn"},
		"refused": {store.Document{State: store.Waiting, SubmittedAt: submitted, Submissions: 22, OutcomeUnknown: true, Error: "503:\n busy", RetryAt: now.Add(time.Minute)},
			"11:57:00 submitted 22 times, none of them paid for, and perhaps one more|waiting: 503: busy; next attempt at 12:01:00"},
		"uploading": {store.Document{State: store.Submitting}, "uploading"},
		"pending": {store.Document{State: store.Pending, SubmittedAt: submitted, Submissions: 11, Attempts: 3, Resubmissions: 1, JobID: "j\x1b", Polls: 1},
			`11:57:00 submitted 11 times, 3 of them paid for, once after a submission that was or may have been accepted, job j\x1b, polled once|` +
				"the service is working on it"},
		"stuck": {store.Document{State: store.Identified, IdentifiedAt: identified, Type: "invoice", Confidence: 0.8, Error: "no space"},
			"11:59:00 identified as invoice with confidence 0.80|not moved yet: no space"},
		"filed": {store.Document{State: store.Filed, SubmittedAt: submitted, Submissions: 1, Polls: 3, IdentifiedAt: identified, Type: "invoice",
			Confidence: 0.97, Reused: true, Sorted: "/s", Target: "invoice/a", FinishedAt: now},
			"11:57:00 submitted, polled 3 times|11:59:00 identified as invoice with confidence 0.97, by the answer for identical content|" +
				"12:00:00 filed: /s/invoice/a"},
		"review": {store.Document{State: store.Review, Sorted: "/s", Target: "_review/invoice/a", FinishedAt: now},
			"12:00:00 filed for review because of low confidence: /s/_review/invoice/a"},
		"failed": {store.Document{State: store.Failed, Error: "empty", Sorted: "/s", Target: "_failed/a", FinishedAt: now},
			"12:00:00 failed: empty; moved to /s/_failed/a"},
		"gone": {store.Document{State: store.Gone, Error: "removed", FinishedAt: now}, "12:00:00 gone: removed"},
	} {
		c.d.DiscoveredAt, c.d.Identity.Size, c.d.ContentType = found, 123_456, "image/png"
		var got []string
		for _, e := range (Document{d: &c.d, now: now}).Events() {
			got = append(got, strings.TrimSpace(e.When+" "+e.Text))
		}
		want := "2026-11-28 10:00:00 found in the inbox: 123 kB, image/png|" + c.want
		if text := strings.Join(got, "|"); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
		}
	}
}
