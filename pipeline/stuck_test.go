package pipeline

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// events returns the events of a kind that wait for the hook.
func (r *rig) events(kind string) (all []store.Event) {
	r.t.Helper()
	events, err := r.store.DueEvents(bg, time.Now(), 1000)
	must(r.t, err)
	for _, e := range events {
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all
}

// TestStuck: a document that cannot be moved is stuck after a while, of which the hook hears
// once, and is not any more when it goes on.
func TestStuck(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		_, err := r.store.Listen(bg, true)
		must(t, err)
		blocker := filepath.Join(r.sorted, "invoice")
		must(t, os.WriteFile(blocker, nil, 0o644))
		r.start()
		r.drop("a.pdf", pdf("a"), "invoice")
		r.drop("b.pdf", pdf("b"), "invoice")
		time.Sleep(14 * time.Minute)
		sameList(t, "stuck so far", r.summary().Stuck)
		same(t, "troubles", len(r.summary().Troubles), 1)
		time.Sleep(150 * time.Second) // it is looked for each minute
		sameList(t, "stuck", r.summary().Stuck, store.Reason{
			Reason: "the sorted documents' folder: … is a link or a file, not a folder; move it away: not a real folder", Count: 2})
		same(t, "troubles", len(r.summary().Troubles), 0)
		time.Sleep(24 * time.Hour)
		events := r.events("stuck")
		same(t, "events", len(events), 2)
		same(t, "place", events[0].Path, filepath.Join(r.inbox, events[0].Source))
		contains(t, "reason", events[0].Reason, "not a folder")
		must(t, os.Remove(blocker))
		r.allFiled(2, 10*time.Minute)
		sameList(t, "stuck in the end", r.summary().Stuck)
	})
}

// TestTroubleOfAHoldIsNotStuck: neither during a hold nor when it ends.
func TestTroubleOfAHoldIsNotStuck(t *testing.T) {
	for _, faults := range []docutraytest.Faults{
		{FailSubmit: 1}, {Outage: docutraytest.OutageUnavailable}, {Account: docutraytest.AccountQuotaUsed},
	} {
		bubble(t, docutraytest.Options{Faults: faults, Latency: 3 * time.Minute}, func(r *rig) {
			_, err := r.store.Listen(bg, true)
			must(t, err)
			r.start()
			r.dropNumbered(40)
			time.Sleep(6 * time.Hour)
			n, err := r.store.Stuck(bg)
			must(t, err)
			same(t, "stuck", n, 0)
			r.service.SetFaults(docutraytest.Faults{})
			r.allFiled(40, 2*time.Hour)
			same(t, "events", len(r.events("stuck")), 0)
		}, func(c *Config) { c.Workers, c.MaxPending = 1, 2 })
	}
}
