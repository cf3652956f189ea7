package watcher

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// once runs RunOnce and returns what was sent, what was left, and how long it
// took.
func (f *fixture) once(during func()) (sent, left []string, took time.Duration, err error) {
	w := f.make()
	w.open = func() (notifier, error) {
		f.t.Error("inotify for a single run")
		return notifier{}, errTest
	}
	began := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		left, err = w.RunOnce(f.t.Context())
		took = time.Since(began)
	}()
	var changes sync.WaitGroup
	if during != nil {
		changes.Go(during)
	}
	for {
		select {
		case p := <-f.files:
			sent = append(sent, p)
		case <-done:
			changes.Wait()
			slices.Sort(sent)
			slices.Sort(left)
			return sent, left, took, err
		}
	}
}

func TestOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write("a", "END")
		f.write("x/y/b", "END")
		f.write("cut", "...")
		f.write("empty", "")
		f.write("open", "WRITING END")
		f.write("known", "END")
		f.write("unsure", "END")
		f.write("busy", "END")
		f.write("late", "...")
		f.write("gone", "END")
		f.cfg.Known = func(rel string, _ fs.FileInfo) (bool, error) {
			if rel == "unsure" {
				return false, errTest
			}
			return rel == "known", nil
		}
		sent, left, took, err := f.once(func() {
			time.Sleep(2 * time.Second)
			os.Remove(f.path("gone"))
			f.write("late", "...END")
			for i := range 9 {
				f.write("busy", "more "[:i%5]+"END")
				time.Sleep(time.Second)
			}
		})
		if err != nil || took != 10*time.Second {
			t.Errorf("took %v, error %v", took, err)
		}
		if want := []string{"a", "late", "x/y/b"}; !slices.Equal(sent, want) {
			t.Errorf("sent %q, want %q", sent, want)
		}
		if want := []string{"busy", "cut", "empty", "open", "unsure"}; !slices.Equal(left, want) {
			t.Errorf("left %q, want %q", left, want)
		}
	})
}

func TestOnceWithNothingThere(t *testing.T) {
	bubble(t, func(f *fixture) {
		sent, left, took, err := f.once(nil)
		if err != nil || took != 0 || len(sent)+len(left) > 0 {
			t.Errorf("sent %q, left %q, took %v, error %v", sent, left, took, err)
		}
		f.must(os.Remove(f.root))
		if _, _, _, err = f.once(nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no inbox: %v", err)
		}
	})
}

func TestOnceCancelled(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write("a", "END")
		f.write("b", "END")
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
		defer cancel()
		left, err := f.make().RunOnce(ctx)
		slices.Sort(left)
		if err != nil || !slices.Equal(left, []string{"a", "b"}) {
			t.Errorf("left %q, error %v", left, err)
		}
	})
}

// What has looked cut short for long by its own times is taken, as there is no time to
// wait for that; what is being written is not.
func TestOnceTakesWhatIsOld(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.write("cut", "...")
		f.write("empty", "")
		f.write("open", "WRITING")
		info, err := os.Lstat(f.path("open"))
		f.must(err)
		made := time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix()) // by a clock outside the bubble
		time.Sleep(time.Until(made) + f.cfg.IncompleteAfter - 20*time.Second)
		if sent, left, _, _ := f.once(nil); len(sent) != 0 || len(left) != 3 {
			t.Errorf("before their time: sent %q, left %q", sent, left)
		}
		time.Sleep(10 * time.Second)
		sent, left, _, err := f.once(nil)
		f.must(err)
		if !slices.Equal(sent, []string{"cut", "empty"}) || !slices.Equal(left, []string{"open"}) {
			t.Errorf("sent %q, left %q", sent, left)
		}
		f.start(nil)
		f.none(time.Minute) // a daemon waits
	})
}
