package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"docusort/cmd/docusort/internal/report/web"
	"docusort/store"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	until := now.Add(time.Hour)
	for name, c := range map[string]struct {
		hold     *store.Hold
		progress store.Progress
		answered time.Time
		begun    time.Time
		pollMax  time.Duration
		want     string
	}{
		"nothing to do":          {want: healthy, begun: ago(time.Hour)},
		"at work":                {progress: store.Progress{Due: 1, Last: ago(time.Minute)}, begun: ago(time.Hour), want: healthy},
		"nothing happens":        {progress: store.Progress{Due: 1, Last: ago(11 * time.Minute)}, begun: ago(time.Hour), want: stalled},
		"it only began":          {progress: store.Progress{Due: 1, Last: ago(time.Hour)}, begun: ago(time.Minute), want: healthy},
		"the service answers":    {progress: store.Progress{Due: 1, Last: ago(time.Hour)}, answered: ago(time.Minute), begun: ago(time.Hour), want: healthy},
		"polls are rare":         {progress: store.Progress{Due: 1, Last: ago(30 * time.Minute)}, begun: ago(time.Hour), pollMax: 20 * time.Minute, want: healthy},
		"nothing is due":         {progress: store.Progress{Last: ago(9 * time.Hour)}, begun: ago(9 * time.Hour), want: healthy},
		"an upload takes long":   {progress: store.Progress{Due: 1, Last: ago(time.Hour), Unfinished: map[store.State]int{store.Submitting: 1}}, begun: ago(2 * time.Hour), want: healthy},
		"an upload takes longer": {progress: store.Progress{Due: 1, Last: ago(2 * time.Hour), Unfinished: map[store.State]int{store.Submitting: 1}}, begun: ago(3 * time.Hour), want: stalled},
		"on hold":                {hold: &store.Hold{Kind: store.HoldRate, Reason: "a\nb", Since: ago(time.Minute), Until: until}, progress: store.Progress{Due: 1}, begun: ago(time.Hour), want: onHold},
	} {
		got := judge(store.Daemon{Running: true, Hold: c.hold}, c.progress, c.answered, c.begun, now, c.pollMax)
		if got.Status != c.want || (got.Status == healthy) != (got.Reason == "") {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Status == onHold && (got.Reason != "on hold (rate): a b" || !got.Until.Equal(until)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestHealthzOnHold(t *testing.T) {
	w := newWorld(t)
	w.ok(w.store.SetHold(w.ctx, &store.Hold{Kind: store.HoldAccount, Reason: "402: quota used up", Until: time.Now().Add(time.Hour)}))
	_, url := w.serve()
	resp, body := w.get(url + "/healthz")
	if resp.StatusCode != 503 || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s", resp.Status)
	}
	w.contains(body, `"status":"hold"`, `"reason":"on hold (account): 402: quota used up"`, `"until":`)
}

func TestThePageOfAStalledDaemon(t *testing.T) {
	w := newWorld(t)
	for i := range maxUnderway + 2 {
		w.drop(fmt.Sprintf("scan-%d.pdf", i))
	}
	_, url := w.serve()
	if _, body := w.get(url + "/"); strings.Contains(body, "No progress") || !strings.Contains(body, ">2 more</a>") {
		t.Error("want no warning and two documents left out, in:\n", body)
	}
	data := content{Overview: &web.Overview{}, Judged: Health{Status: stalled, Reason: "3 documents could continue"}}
	var html strings.Builder
	w.ok(pageTemplate.ExecuteTemplate(&html, "section-health", data))
	w.contains(html.String(), "No progress: 3 documents could continue")
}
