package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// answers asks every loop, and fails where one takes longer than it may.
func (r *rig) answers(within time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(bg, within)
	defer cancel()
	for name, ask := range r.p.Alive() {
		if err := ask(ctx); err != nil {
			r.t.Errorf("%s does not answer within %s: %v", name, within, err)
		}
	}
}

// Loops answer at rest, while every worker is busy, while no more jobs may be in
// flight, and on a hold that lasts for hours.
func TestLoopsAnswerWhateverTheyWaitFor(t *testing.T) {
	for name, c := range map[string]struct {
		faults  docutraytest.Faults
		pending int
		upload  time.Duration
	}{
		"at rest":        {},
		"busy workers":   {upload: 4 * time.Hour},
		"jobs in flight": {pending: 1, faults: docutraytest.Faults{JobNever: 1}},
		"held":           {faults: docutraytest.Faults{Account: docutraytest.AccountKeyRevoked}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, docutraytest.Options{Faults: c.faults}, func(r *rig) {
				if c.pending > 0 {
					r.cfg.MaxPending = c.pending
				}
				if c.upload > 0 {
					r.slowUploads(c.upload)
				}
				r.start()
				if name != "at rest" {
					for i := range 12 {
						r.drop(fmt.Sprint(i, ".pdf"), pdf(fmt.Sprint(i)), "invoice")
					}
				}
				for range 5 {
					time.Sleep(10 * time.Minute)
					synctest.Wait()
					r.answers(time.Millisecond)
				}
			})
		})
	}
}

// A disk that is full for hours is no standstill of any loop.
func TestLoopsAnswerWhileADiskIsFull(t *testing.T) {
	base := fastDir(t)
	small(t, base, "size=2m")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, base, docutraytest.Options{})
		defer r.close()
		r.start()
		synctest.Wait()
		r.admitted("decided.pdf", pdf("decided"))
		must(t, r.store.Submitting(bg, 1, r.cfg.DocumentTypes))
		must(t, r.store.Accepted(bg, 1, "job"))
		must(t, r.store.Identified(bg, 1, store.Answer{Type: "invoice", Confidence: 1, Outcome: store.Filed}))
		free := fill(t, base)
		r.p.fileWake.wake() // and meets the full disk
		r.held(store.HoldDisk, time.Minute)
		for range 20 {
			time.Sleep(7 * time.Minute)
			r.answers(longestDiskWait + time.Second)
		}
		free()
		r.reaches("decided.pdf", store.Filed, 3*time.Minute)
	})
}

// A loop that stands still does not answer, whoever else goes on.
func TestLoopThatStandsStill(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		stuck := make(chan struct{})
		r.cfg.OnStep = func(s Step) {
			if s == TargetStored { // on the filer's own goroutine
				<-stuck
			}
		}
		r.start()
		r.answers(time.Millisecond)
		r.drop("scan.pdf", pdf("scan"), "invoice")
		time.Sleep(time.Minute)
		synctest.Wait()
		for name, ask := range r.p.Alive() {
			ctx, cancel := context.WithTimeout(bg, time.Hour)
			if err := ask(ctx); (err != nil) != (name == "file") || err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
		close(stuck)
		r.until(time.Minute, "filed", func() bool { return len(r.names()) == 1 })
		r.answers(time.Millisecond)
	})
}
