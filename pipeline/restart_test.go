package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// killAt files one document until a step, and restores what was on the disk then.
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

// Wherever the daemon ends, the next one files the document once, and asks for
// it a second time only where the outcome of the first POST is not known.
func TestKilledAtEachStep(t *testing.T) {
	each(t, Steps, func(t *testing.T, step Step) {
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
			same(t, "warnings", r.log.count("uploads were interrupted; whether the service received them is unknown"), again)
		}, func(c *Config) { c.Sidecar = true })
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
				r.identified(1, "scan.pdf", pdf("x"), "contract")
				if c.target != "" {
					r.targeted(1, r.sorted, c.target)
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
