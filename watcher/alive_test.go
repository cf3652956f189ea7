package watcher

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The loop answers at rest, and not while it stands still.
func TestAlive(t *testing.T) {
	bubble(t, func(f *fixture) {
		entered, stuck := make(chan struct{}, 100), make(chan struct{})
		f.cfg.Inspect = func(string) (Condition, error) {
			entered <- struct{}{}
			<-stuck
			return Complete, nil
		}
		f.start(nil)
		ask := func() error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			return f.l.Alive(ctx)
		}
		if err := ask(); err != nil {
			t.Errorf("at rest: %v", err)
		}
		f.drop("scan.pdf", "END")
		<-entered
		if err := ask(); err == nil {
			t.Error("it answers while it stands still")
		}
		close(stuck)
		f.want(time.Minute, "scan.pdf")
		synctest.Wait()
		if err := ask(); err != nil {
			t.Errorf("after it stood still: %v", err)
		}
	})
}
