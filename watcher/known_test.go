package watcher

import (
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestKnownIsAskedOnceForWhatWasNeverSent(t *testing.T) {
	bubble(t, func(f *fixture) {
		known := map[string]bool{"known": true}
		asked := map[string]int{}
		f.cfg.Known = func(rel string, info fs.FileInfo) (bool, error) {
			asked[rel]++
			if info.Size() != 3 {
				t.Errorf("%q: size %d", rel, info.Size())
			}
			return known[rel], nil
		}
		f.write("known", "END")
		f.write("later", "END")
		f.start(nil)
		f.want(5*time.Second, "later")
		f.do(func() { known["later"] = true })
		f.none(30 * time.Second)
		if asked["known"] != 1 || asked["later"] != 1 {
			t.Errorf("asked %v", asked)
		}
		if len(f.inspected) != 1 {
			t.Errorf("looked into %q", f.inspected)
		}
	})
}

func TestKnownFailing(t *testing.T) {
	bubble(t, func(f *fixture) {
		fail := error(errTest)
		f.cfg.Known = func(string, fs.FileInfo) (bool, error) { return false, fail }
		f.write("a", "END")
		f.write("b", "END")
		f.start(nil)
		f.none(150 * time.Second) // scans at 0, 60 and 120
		f.logged("cannot tell", 1)
		f.logged(errTest.Error(), 1)
		f.do(func() { fail = syscall.EIO })
		f.none(60 * time.Second)
		f.logged("cannot tell", 2)
		f.do(func() { fail = nil })
		f.want(35*time.Second, "a", "b")
	})
}

// What was sent and is still not known is sent at each rescan, without having
// to settle again. It may become known while it waits to be sent.
func TestSentAgainUntilKnown(t *testing.T) {
	bubble(t, func(f *fixture) {
		known, asked := 0, 0 // the question from which on it is known
		f.cfg.Known = func(string, fs.FileInfo) (bool, error) { asked++; return known > 0 && asked >= known, nil }
		f.write("cut", "...")
		f.start(nil)
		f.wantIn(5*time.Minute, "cut") // the scan of that minute is just over, or about to come
		f.want(time.Minute, "cut")
		f.wantIn(time.Minute, "cut")
		f.wantIn(time.Minute, "cut")
		f.do(func() { known = asked + 2 })
		f.none(2 * time.Minute)
		if asked < known {
			t.Error("it was not asked again before the file was sent again")
		}
	})
}

func TestNotSentTwiceWhileOnItsWay(t *testing.T) {
	bubble(t, func(f *fixture) {
		w := f.make()
		f.start(w)
		f.drop("a", "END")
		f.wantIn(5*time.Second, "a")
		w.Rescan()
		f.event("a", fsnotify.Chmod)
		f.none(9 * time.Second)
		w.Rescan()
		f.none(500 * time.Millisecond)
		time.Sleep(time.Second)
		w.Rescan()
		f.wantIn(0, "a")
	})
}
