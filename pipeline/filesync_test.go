package pipeline

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// A folder of the inbox that may not be synced does not keep a document from being
// filed: the new name is durable, and so is the move.
func TestSyncOfAFolderThatIsRefused(t *testing.T) {
	for _, refused := range []syscall.Errno{syscall.EACCES, syscall.EPERM} {
		t.Run(refused.Error(), func(t *testing.T) {
			var syncs atomic.Int64
			mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
				// The folder of the target is synced first, then that of the source.
				if op == "fsync folder" && !done && syncs.Add(1)%2 == 0 {
					return refused
				}
				return nil
			}})
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				r.drop("scan.pdf", pdf("x"), "invoice")
				r.reaches("scan.pdf", store.Filed, time.Minute)
				same(t, "refused", r.log.count("folder of the inbox cannot be synced"), 1)
				same(t, "holds", r.log.count("on hold: action required"), 0)
			}, func(c *Config) { c.Mover = mover })
		})
	}
}
