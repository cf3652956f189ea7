package pipeline

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// Documents that are ready together are made to last together. An error of that is
// nobody's own, and one that is a document's own keeps that one alone.
func TestContentsThatLastTogether(t *testing.T) {
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
				for i := range n {
					r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
				}
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
				r.until(5*time.Minute, "all filed", func() bool { return len(r.names()) == n })
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
