package watcher

import (
	"testing"
	"testing/synctest"
	"time"
)

// The loop is late while it stands still, and neither before it runs, nor at
// rest, nor after its end.
func TestLate(t *testing.T) {
	bubble(t, func(f *fixture) {
		entered, stuck := make(chan struct{}), make(chan struct{})
		f.cfg.Inspect = func(string) (Condition, error) {
			close(entered)
			<-stuck
			return Complete, nil
		}
		w := f.make()
		check := func(when, want string) {
			t.Helper()
			synctest.Wait()
			if got := w.Late(5 * time.Second); got != want {
				t.Errorf("%s: late %q, want %q", when, got, want)
			}
		}
		check("before it runs", "")
		_, err := w.RunOnce(t.Context())
		f.must(err)
		time.Sleep(time.Hour)
		check("after a single run", "")
		f.start(w)
		f.none(time.Hour + 7*time.Second) // between two looks at the inbox
		check("at rest", "")
		f.drop("scan.pdf", "END")
		<-entered
		time.Sleep(5 * time.Second)
		check("while it may stand still", "")
		time.Sleep(time.Nanosecond)
		check("after that", "watcher")
		close(stuck)
		f.want(time.Minute, "scan.pdf")
		check("after it stood still", "")
		f.stop()
		f.none(time.Hour)
		check("at its end", "")
	})
}
