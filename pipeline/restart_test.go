package pipeline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// killAt runs one document until a step and goes on, in a new process as it
// were, from what was on the disk then.
func (r *rig) killAt(at Step, content string) {
	r.t.Helper()
	base := filepath.Dir(r.inbox)
	side := base + ".then"
	defer os.RemoveAll(side)
	var taken atomic.Bool
	r.cfg.OnStep = func(s Step) {
		if s == at && !taken.Swap(true) {
			out, err := exec.Command("cp", "-a", base, side).CombinedOutput()
			if err != nil {
				r.t.Errorf("%v: %s", err, out)
			}
			r.stop()
		}
	}
	r.start()
	r.drop("scan.pdf", content, "receipt")
	r.until(time.Minute, "step "+string(at), taken.Load)
	must(r.t, r.wait())
	r.cfg.OnStep = nil
	must(r.t, r.store.Close())
	must(r.t, os.RemoveAll(base))
	must(r.t, os.Rename(side, base))
	r.reopen()
}

func (r *rig) reopen() {
	r.t.Helper()
	s, err := store.Open(context.Background(), store.Config{Path: filepath.Join(filepath.Dir(r.inbox), "docusort.db")})
	must(r.t, err)
	r.store, r.cfg.Store = s, s
}

// Wherever the daemon ends, the next one files the document once, and asks for
// it a second time only where the outcome of the first POST is not known.
func TestKilledAtEachStep(t *testing.T) {
	for _, step := range Steps {
		t.Run(string(step), func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				content := pdf("killed")
				r.killAt(step, content)
				r.start()
				d := r.reaches("scan.pdf", store.Filed, time.Minute)
				sameList(t, "sorted", r.names(), "receipt/scan.pdf")
				same(t, "content", tree(t, r.sorted)["receipt/scan.pdf"], content)
				same(t, "sidecars", len(tree(t, r.sorted)), 2)
				same(t, "inbox", len(tree(t, r.inbox)), 0)
				jobs, again := 1, 0
				if step == SubmittingStored || step == Posted {
					jobs, again = 2, 1
				}
				same(t, "jobs", r.service.Stats().Jobs, jobs)
				same(t, "resubmissions", d.Resubmissions, again)
				same(t, "submissions", d.Submissions, jobs)
				same(t, "attempts", d.Attempts, 1)
			}, func(c *Config) { c.Sidecar = true })
		})
	}
}

// What the record has is taken up by the same code as what is new.
func TestStopAndGoOn(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
		r.start()
		for i := range 20 {
			r.drop(fmt.Sprintf("%02d.pdf", i), pdf(fmt.Sprint(i)), "invoice")
		}
		r.until(time.Minute, "all pending", func() bool { return r.service.Stats().Jobs == 20 })
		for range 5 {
			time.Sleep(time.Second)
			must(t, r.halt())
			r.start()
		}
		for i := range 20 {
			d := r.reaches(fmt.Sprintf("%02d.pdf", i), store.Filed, 2*time.Minute)
			same(t, "submissions", d.Submissions, 1)
			same(t, "attempts", d.Attempts, 1)
		}
		same(t, "jobs", r.service.Stats().Jobs, 20)
	})
}

// A restart must not forget how many jobs are at the service.
func TestMaxPendingAcrossRestartsAndSettings(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
		r.start()
		for i := range 30 {
			r.drop(fmt.Sprintf("%02d.pdf", i), pdf(fmt.Sprint(i)), "invoice")
		}
		r.until(time.Minute, "ten pending", func() bool { return r.service.Stats().Jobs == 10 })
		must(t, r.halt())
		r.cfg.MaxPending = 4
		r.start()
		same(t, "jobs", r.service.Stats().Jobs, 10)
		most := 0
		r.until(time.Hour, "all filed", func() bool {
			done := len(r.names())
			if done >= 10 {
				most = max(most, r.service.Stats().Jobs-done)
			}
			return done == 30
		})
		same(t, "most jobs in flight under the new limit", most, 4)
		same(t, "jobs", r.service.Stats().Jobs, 30)
	}, func(c *Config) { c.MaxPending = 10 })
}

// The daemon ended during an upload: the outcome is unknown, and the second
// POST is counted.
func TestSubmittingIsSubmittedOnceMore(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.admitted("scan.pdf", pdf("x"))
		r.submitting(1)
		r.start()
		d := r.reaches("scan.pdf", store.Filed, time.Minute)
		same(t, "submissions", d.Submissions, 2)
		same(t, "resubmissions", d.Resubmissions, 1)
		same(t, "jobs", r.service.Stats().Jobs, 1)
		same(t, "warnings", r.log.count("uploads were interrupted; whether the service received them is unknown"), 1)
	})
}

// An answer that is stored is used, whatever the service would say now.
func TestIdentifiedNeedsNoService(t *testing.T) {
	for _, c := range []struct {
		name   string
		target string // stored before the end
		moved  bool
		want   string
	}{
		{"no target", "", false, "contract/scan.pdf"},
		{"target stored, not moved", "contract/scan.pdf", false, "contract/scan.pdf"},
		{"target stored and moved", "contract/scan-7.pdf", true, "contract/scan-7.pdf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.service.SetOutage(docutraytest.OutageDrop)
				r.admitted("scan.pdf", pdf("x"))
				ctx := context.Background()
				r.submitting(1)
				r.accepted(1, "job")
				r.identified(1, store.Answer{Type: "contract", Confidence: 1, Outcome: store.Filed, Share: true})
				if c.target != "" {
					_, err := r.store.Target(ctx, []store.Targeted{{ID: 1, Sorted: r.sorted, Target: c.target}})
					must(t, err)
				}
				if c.moved {
					must(t, os.Mkdir(filepath.Join(r.sorted, "contract"), 0o755))
					must(t, os.Rename(filepath.Join(r.inbox, "scan.pdf"), filepath.Join(r.sorted, c.target)))
				}
				r.start()
				r.reaches("scan.pdf", store.Filed, time.Minute)
				sameList(t, "sorted", r.names(), c.want)
				same(t, "requests", r.service.Stats().Requests, 0)
			})
		})
	}
}

// Two equal documents of one name, written together, are both filed, though the first
// was to have the place that the second gets: its target was stored, and then the
// daemon ended.
func TestEqualDocumentTakesTheTargetOfAnother(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		ctx := context.Background()
		r.admitted("a/scan.pdf", pdf("x"))
		r.admitted("b/scan.pdf", pdf("x"))
		r.submitting(1)
		r.accepted(1, "job")
		r.identified(1, store.Answer{Type: "contract", Confidence: 1, Outcome: store.Filed, Share: true})
		for _, id := range []int64{1, 2} {
			_, err := r.store.Target(ctx, []store.Targeted{{ID: id, Sorted: r.sorted, Target: "contract/scan.pdf"}})
			must(t, err)
		}
		must(t, os.Mkdir(filepath.Join(r.sorted, "contract"), 0o755))
		must(t, os.Rename(filepath.Join(r.inbox, "b/scan.pdf"), filepath.Join(r.sorted, "contract/scan.pdf")))
		r.start()
		r.reaches("a/scan.pdf", store.Filed, time.Minute)
		r.reaches("b/scan.pdf", store.Filed, time.Minute)
		sameList(t, "sorted", r.names(), "contract/scan-2.pdf", "contract/scan.pdf")
	})
}

// A target that was stored under another sorted folder, which is away now, does
// not keep the others from being filed.
func TestTargetInAnotherSortedFolderThatIsAway(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		ctx := context.Background()
		r.admitted("old.pdf", pdf("old"))
		r.submitting(1)
		r.accepted(1, "job")
		r.identified(1, store.Answer{Type: "contract", Confidence: 1, Outcome: store.Filed, Share: true})
		_, err := r.store.Target(ctx, []store.Targeted{{ID: 1, Sorted: r.sorted + ".old", Target: "contract/old.pdf"}})
		must(t, err)
		r.start()
		r.drop("new.pdf", pdf("new"), "invoice")
		r.reaches("new.pdf", store.Filed, time.Minute)
		if d := r.doc("old.pdf"); d.State != store.Identified || d.Error == "" {
			t.Errorf("the old one: %s, %q", d.State, d.Error)
		}
		must(t, os.Mkdir(r.sorted+".old", 0o755))
		r.reaches("old.pdf", store.Filed, 5*time.Minute)
		sameList(t, "sorted", r.names(), "contract/old.pdf", "invoice/new.pdf")
	})
}

// admitted puts a document into inbox and record, without a pipeline.
func (r *rig) admitted(name, content string) {
	r.t.Helper()
	r.write(name, content, "contract")
	a, err := New(r.cfg).examine(name)
	must(r.t, err)
	_, err = r.store.Admit(context.Background(), a)
	must(r.t, err)
}
