package pipeline

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// A run with --once does not wait for the end of a hold of the account, nor long for the
// service, nor for a long rate limit: it ends at once where the service names a long time,
// and soon where the service goes on refusing.
func TestRunEndsDuringAHold(t *testing.T) {
	for _, c := range []struct {
		name        string
		faults      docutraytest.Faults
		retryAfter  string // of a rate limit
		after, most time.Duration
	}{
		{"account", docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}, "", 0, time.Second},
		{"service", docutraytest.Faults{Outage: docutraytest.OutageDrop}, "", time.Minute, 2 * time.Minute},
		{"rate, a day", docutraytest.Faults{}, "86400", 0, time.Second},
		{"rate, two minutes", docutraytest.Faults{}, "120", 0, time.Second},
		{"rate, a minute, again and again", docutraytest.Faults{}, "60", limitGrace, limitGrace + time.Minute},
		{"rate, no time", docutraytest.Faults{}, "", limitGrace, limitGrace + time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, docutraytest.Options{Faults: c.faults}, func(r *rig) {
				if strings.HasPrefix(c.name, "rate") {
					r.intercept(func(w http.ResponseWriter, _ *http.Request) bool {
						w.Header().Set("Retry-After", c.retryAfter)
						return refuse(w, 429, "Rate limit exceeded")
					})
				}
				r.start()
				r.drop("scan.pdf", pdf("x"), "invoice")
				close(r.files)
				begun := time.Now()
				err := r.wait()
				if !errors.Is(err, ErrLeft) || strings.HasPrefix(c.name, "rate") && !strings.Contains(err.Error(), "rate") {
					t.Errorf("Run: %v", err)
				}
				between(t, "took", time.Since(begun), c.after, c.most)
				sameList(t, "sorted", r.names())
			})
		})
	}
}

// It does wait for a limit of so many requests a minute, with or without a named time.
func TestRunWaitsOutALimitOfAMinute(t *testing.T) {
	all := []docutraytest.Options{{}} // no limit
	for form := docutraytest.RateFull; form <= docutraytest.RateSilent; form++ {
		all = append(all, docutraytest.Options{RateLimit: 10, RateForm: form})
	}
	for _, o := range all {
		bubble(t, o, func(r *rig) {
			r.start()
			r.dropNumbered(30)
			close(r.files)
			must(t, r.wait())
			same(t, "filed", len(r.names()), 30)
		})
	}
}

func TestRunEndsWithDocumentsThatCannotBeMoved(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.Symlink(t.TempDir(), filepath.Join(r.sorted, "_failed")))
		must(t, os.Symlink(t.TempDir(), filepath.Join(r.sorted, "invoice")))
		r.start()
		r.drop("words.doc", "no document", "")
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.drop("good.pdf", pdf("good"), "receipt")
		close(r.files)
		is(t, "Run", r.wait(), ErrLeft)
		sameList(t, "sorted", r.names(), "receipt/good.pdf")
		contains(t, "reason", r.doc("scan.pdf").Error, "link")
	})
}
