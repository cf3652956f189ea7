package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// Records go when they are due, their files stay, and at rest nobody looks.
func TestKeepHistory(t *testing.T) {
	const keep = 30 * time.Hour
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("first.pdf", pdf("first"), "invoice")
		r.reaches("first.pdf", store.Filed, time.Minute)
		time.Sleep(10 * time.Hour)
		r.drop("second.pdf", pdf("second"), "invoice")
		r.reaches("second.pdf", store.Filed, time.Minute)
		time.Sleep(keep - 10*time.Hour - time.Hour)
		same(t, "records before the first is due", r.kept(), 2)
		time.Sleep(2*time.Hour + time.Minute)
		same(t, "records after an hour more at the most", r.kept(), 1)
		same(t, "what is left", r.doc("second.pdf").State, store.Filed)
		time.Sleep(10 * time.Hour)
		same(t, "records in the end", r.kept(), 0)
		sameList(t, "files", r.names(), "invoice/first.pdf", "invoice/second.pdf")
		same(t, "times told", r.log.count("old documents removed from the database"), 2)
	}, func(c *Config) { c.KeepHistory, c.Rescan = keep, time.Hour })
}

// What became due while no daemon ran goes at the start, in batches, while
// documents go their way.
func TestKeepHistoryAtTheStart(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		const many = 2*pruneBatch + 10
		for i := range many {
			a := store.Admission{Inbox: store.Folder{Path: r.inbox}, Source: fmt.Sprint(i), Blocked: "no"}
			d, err := r.store.Admit(context.Background(), a)
			must(t, err)
			must(t, r.store.Gone(context.Background(), d.ID, ""))
		}
		time.Sleep(2 * time.Hour)
		r.cfg.KeepHistory = 0
		r.start()
		time.Sleep(time.Hour)
		same(t, "records that are kept for ever", r.kept(), many)
		must(t, r.halt())
		r.cfg.KeepHistory = time.Hour
		r.start()
		r.seen = many
		r.drop("scan.pdf", pdf("meanwhile"), "invoice")
		r.reaches("scan.pdf", store.Filed, time.Minute)
		same(t, "records", r.kept(), 1)
	})
}

// kept counts the finished documents of the record.
func (r *rig) kept() (n int) {
	r.t.Helper()
	counts, err := r.store.Finished(context.Background(), time.UnixMilli(0))
	must(r.t, err)
	for _, of := range counts {
		n += of
	}
	return n
}
