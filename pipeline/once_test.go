package pipeline

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// A run with --once does not wait for the end of a long rate limit. It ends at once where
// the service names a long time, and soon where the service goes on refusing.
func TestRunEndsOnALimitThatLasts(t *testing.T) {
	for _, c := range []struct {
		name        string
		retryAfter  int
		after, most time.Duration
	}{
		{"a day", 86400, 0, time.Second},
		{"two minutes", 120, 0, time.Second},
		{"a minute, again and again", 60, limitGrace, limitGrace + time.Minute},
		{"no time", 0, limitGrace, limitGrace + time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.intercept(func(w http.ResponseWriter, _ *http.Request) bool {
					if c.retryAfter > 0 {
						w.Header().Set("Retry-After", strconv.Itoa(c.retryAfter))
					}
					return refuse(w, 429, "Rate limit exceeded")
				})
				r.start()
				r.drop("scan.pdf", pdf("x"), "invoice")
				close(r.files)
				begun := time.Now()
				if err := r.wait(); !errors.Is(err, ErrLeft) || !strings.Contains(err.Error(), "rate") {
					t.Errorf("Run: %v", err)
				}
				if took := time.Since(begun); took < c.after || took > c.most {
					t.Errorf("after %s", took)
				}
			})
		})
	}
}

// It does wait for a limit of so many requests a minute, with or without a named time.
func TestRunWaitsOutALimitOfAMinute(t *testing.T) {
	for form := docutraytest.RateFull; form <= docutraytest.RateSilent; form++ {
		bubble(t, docutraytest.Options{RateLimit: 10, RateForm: form}, func(r *rig) {
			r.start()
			r.dropNumbered(30)
			close(r.files)
			must(t, r.wait())
			same(t, "filed", len(r.names()), 30)
		})
	}
}

func TestRunEndsWhenAllIsDone(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.dropNumbered(10)
		close(r.files)
		must(t, r.wait())
		same(t, "filed", len(r.names()), 10)
	})
}

func TestRunEndsDuringAHold(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults docutraytest.Faults
		after  time.Duration
		most   time.Duration
	}{
		{"account", docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}, 0, time.Second},
		{"service", docutraytest.Faults{Outage: docutraytest.OutageDrop}, time.Minute, 2 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, docutraytest.Options{Faults: c.faults}, func(r *rig) {
				r.start()
				r.drop("scan.pdf", pdf("x"), "invoice")
				close(r.files)
				begun := time.Now()
				if err := r.wait(); !errors.Is(err, ErrLeft) {
					t.Errorf("Run: %v", err)
				}
				if took := time.Since(begun); took < c.after || took > c.most {
					t.Errorf("after %s", took)
				}
				sameList(t, "sorted", r.names())
			})
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
		if err := r.wait(); !errors.Is(err, ErrLeft) {
			t.Errorf("Run: %v", err)
		}
		sameList(t, "sorted", r.names(), "receipt/good.pdf")
		if d := r.doc("scan.pdf"); !strings.Contains(d.Error, "link") {
			t.Errorf("reason %q", d.Error)
		}
	})
}
