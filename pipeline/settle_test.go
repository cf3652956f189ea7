package pipeline

import (
	"os"
	"strings"
	"sync"
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
func TestInboxFolderThatMayNotBeSynced(t *testing.T) {
	each(t, []syscall.Errno{syscall.EACCES, syscall.EPERM}, func(t *testing.T, refused syscall.Errno) {
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
			r.file("scan.pdf", pdf("x"), "invoice")
			same(t, "refused", r.log.count("folder of the inbox cannot be synced"), 1)
			same(t, "holds", r.log.count("on hold: action required"), 0)
		}, func(c *Config) { c.Mover = mover })
	})
}

// A document that is moved while its target is given to another has not been filed: its
// row says so, and so does the log.
func TestTargetThatIsGivenAwayDuringTheMove(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.identified(1, "a.pdf", pdf("a"), "contract")
		r.identified(2, "b.pdf", pdf("b"), "contract")
		must(t, r.store.SetMoveError(bg, 2, "later", time.Now().Add(50*time.Minute)))
		r.cfg.OnStep = func(s Step) {
			if s == FoldersSynced {
				r.targeted(2, r.sorted, "contract/a.pdf")
			}
		}
		r.start()
		r.until(time.Minute, "a reason", func() bool { return r.doc("a.pdf").Error != "" })
		same(t, "state", r.doc("a.pdf").State, store.Identified)
		same(t, "filed", r.log.count("document filed"), 0)
	})
}

// Documents that are moved together are synced together. Where that fails they are synced
// one by one, and an error of one document delays only that one.
func TestContentsAreSyncedTogether(t *testing.T) {
	const n = 12
	for _, c := range []struct {
		fails string // the operation, for ever
		only  int    // the n-th time only, 0: each time
		each  bool   // documents are synced one by one
	}{
		{"", 0, false},
		{"sync filesystem", 0, true},
		{"look for lost writes", 3, false},
	} {
		t.Run(c.fails, func(t *testing.T) {
			var mu sync.Mutex
			ops := make(map[string]int)
			mover := filing.NewMover(filing.Options{Fault: func(op string, done bool) error {
				mu.Lock()
				defer mu.Unlock()
				if done {
					return nil
				}
				ops[op]++
				if op == c.fails && (c.only == 0 || ops[op] == c.only) {
					return syscall.EIO
				}
				return nil
			}})
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				must(t, os.Remove(r.sorted)) // until all are ready
				r.dropNumbered(n)
				r.until(time.Minute, "identified", func() bool { return r.counts()[store.Identified] == n })
				r.held(store.HoldDisk, time.Minute)
				must(t, os.Mkdir(r.sorted, 0o755))
				if c.only > 0 {
					r.until(5*time.Minute, "the others filed", func() bool { return r.counts()[store.Filed] >= n-1 })
					r.held("", time.Second)
					for _, d := range r.docs() {
						same(t, "has a reason", strings.Contains(d.Error, syscall.EIO.Error()), d.State != store.Filed)
					}
				}
				r.allFiled(n, 5*time.Minute)
				r.held("", time.Second)
				same(t, "holds", r.log.count("on hold: action required"), 1)
				mu.Lock()
				defer mu.Unlock()
				if ops["sync filesystem"] == 0 {
					t.Skip("the filesystem of the inbox is not synced as a whole here")
				}
				if each := ops["fsync source"] > n/2; each != c.each {
					t.Errorf("operations: %v", ops)
				}
			}, func(cfg *Config) { cfg.Mover = mover })
		})
	}
}
