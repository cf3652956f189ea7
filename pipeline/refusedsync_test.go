package pipeline

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// A folder that may not be synced keeps a document from being filed where it is
// that of its target, whose name would not outlast a loss of power. That of the
// inbox does not: the target lasts.
func TestSyncOfAFolderThatIsRefused(t *testing.T) {
	const target, inbox = 0, 1 // the folders of one document, in the order of their syncs
	for _, refused := range []syscall.Errno{syscall.EACCES, syscall.EPERM} {
		for which, name := range []string{target: "target", inbox: "inbox"} {
			t.Run(refused.Error()+"/"+name, func(t *testing.T) {
				var allowed atomic.Bool
				var syncs atomic.Int64
				mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
					if op != "fsync folder" || done {
						return nil
					}
					if n := syncs.Add(1) - 1; n%2 != int64(which) || allowed.Load() {
						return nil
					}
					return refused
				}})
				bubble(t, docutraytest.Options{}, func(r *rig) {
					r.start()
					r.drop("scan.pdf", pdf("x"), "invoice")
					if which == target {
						r.until(time.Minute, "a reason", func() bool { return strings.Contains(r.doc("scan.pdf").Error, refused.Error()) })
						time.Sleep(10 * time.Minute)
						same(t, "state while it is refused", r.doc("scan.pdf").State, store.Identified)
						if syncs.Load() < 4 {
							t.Errorf("%d syncs", syncs.Load())
						}
						allowed.Store(true)
					}
					r.reaches("scan.pdf", store.Filed, 5*time.Minute)
					same(t, "folders of the inbox that could not be synced", r.log.count("folder of the inbox cannot be synced"), which)
					same(t, "holds", r.log.count("work waits for somebody to act"), 0)
				}, func(c *Config) { c.Mover = mover })
			})
		}
	}
}
