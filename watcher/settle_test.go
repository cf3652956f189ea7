package watcher

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestZeroSettleTime(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Settle = 0
		f.write("a", "END")
		f.write("cut", "...")
		sent, left, _, err := f.once(nil)
		if err != nil || !slices.Equal(sent, []string{"a"}) || !slices.Equal(left, []string{"cut"}) {
			t.Errorf("once: sent %q, left %q, error %v", sent, left, err)
		}
		f.cfg.IncompleteAfter = 0
		f.start(nil)
		f.want(0, "a", "cut")
		f.write("cut.pdf", "...")
		f.event("cut.pdf", fsnotify.Create)
		f.wantIn(0, "cut.pdf")
		f.drop("open.pdf", "WRITING")
		f.none(time.Minute) // and it does not spin: time passes
	})
}

func TestChangeRestartsTheSettleTime(t *testing.T) {
	changes := map[string]func(f *fixture) error{
		"size":  func(f *fixture) error { return os.WriteFile(f.path("a"), []byte("more END"), 0o644) },
		"mtime": func(f *fixture) error { return os.Chtimes(f.path("a"), time.Time{}, time.Unix(1, 0)) },
		"ctime": func(f *fixture) error { return os.Chmod(f.path("a"), 0o600) },
		"inode": func(f *fixture) error {
			// Same size and times as before, as rsync -t does it.
			info, err := os.Lstat(f.path("a"))
			if err != nil {
				return err
			}
			f.write("b.tmp", "END")
			if err := os.Chtimes(f.path("b.tmp"), time.Time{}, info.ModTime()); err != nil {
				return err
			}
			return os.Rename(f.path("b.tmp"), f.path("a"))
		},
	}
	for name, change := range changes {
		for _, told := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/event=%v", name, told), func(t *testing.T) {
				bubble(t, func(f *fixture) {
					f.cfg.Ignore = []string{"*.tmp"}
					f.start(nil)
					f.drop("a", "END")
					f.none(3 * time.Second)
					f.must(change(f))
					if told {
						f.event("a", fsnotify.Chmod)
						f.wantIn(5*time.Second, "a")
					} else { // seen only when the file is due
						f.wantIn(7*time.Second, "a")
					}
				})
			})
		}
	}
	// A write that leaves size and times as they were (clocks are coarse) counts as a
	// change when an event tells of it.
	bubble(t, func(f *fixture) {
		f.start(nil)
		f.drop("a", "END")
		f.none(3 * time.Second)
		f.event("a", fsnotify.Write)
		f.wantIn(5*time.Second, "a")
	})
}

func TestSlowWriterIsSentOnceWhole(t *testing.T) {
	for _, between := range []string{"", "WRITING"} {
		for _, told := range []bool{true, false} {
			t.Run(fmt.Sprintf("%q/events=%v", between, told), func(t *testing.T) {
				bubble(t, func(f *fixture) {
					f.remember()
					f.start(nil)
					f.drop("scan", "")
					content := between
					for range 8 { // pauses longer than the settle time
						f.none(17 * time.Second)
						content += "page"
						f.write("scan", content)
						if told {
							f.event("scan", fsnotify.Write)
						}
					}
					f.none(17 * time.Second)
					f.write("scan", "pages END")
					f.event("scan", fsnotify.Write)
					f.wantIn(5*time.Second, "scan")
					f.none(10 * time.Minute)
				})
			})
		}
	}
}

// An incomplete file is sent in the end; a change starts its time again.
func TestIncompleteIsSentInTheEnd(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.remember()
		f.start(nil)
		f.drop("empty", "")
		f.wantIn(5*time.Minute, "empty")
		f.drop("cut", "pa")
		f.none(4 * time.Minute)
		f.drop("cut", "page")
		f.wantIn(5*time.Minute, "cut")
	})
}

// Nobody tells when a writer closes the file without a change, so it is looked
// at again, at pauses that grow up to half a minute.
func TestWritingIsWaitedForAtGrowingPauses(t *testing.T) {
	bubble(t, func(f *fixture) {
		closed := false
		looks := []time.Duration{}
		began := time.Now()
		f.cfg.Inspect = func(string) (Condition, error) {
			looks = append(looks, time.Since(began))
			if closed {
				return Complete, nil
			}
			return Writing, nil
		}
		f.start(nil)
		f.drop("a", "x")
		f.none(30 * time.Minute)
		if n := len(looks); n < 50 || n > 70 {
			t.Errorf("%d looks in half an hour", n)
		}
		for i, want := range []time.Duration{5, 10, 20, 40, 70, 100} {
			if looks[i] != want*time.Second {
				t.Errorf("look %d after %v, want %v", i, looks[i], want*time.Second)
			}
		}
		f.do(func() { closed = true })
		f.want(30*time.Second, "a")
	})
}

func TestInspectErrors(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Inspect = func(rel string) (Condition, error) {
			if rel == "gone" {
				return 0, fmt.Errorf("look: %w", fs.ErrNotExist)
			}
			return Incomplete, syscall.EACCES
		}
		f.start(nil)
		f.drop("gone", "END")
		f.drop("locked", "END")
		f.wantIn(5*time.Second, "locked")
		f.none(30 * time.Second)
	})
}

func TestChangeWhileInspected(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.cfg.Inspect = func(rel string) (Condition, error) {
			c, err := f.inspect(rel)
			if len(f.inspected) == 1 {
				f.write(rel, "changed END")
			}
			return c, err
		}
		f.start(nil)
		f.drop("a", "END")
		f.wantIn(10*time.Second, "a")
	})
}

func TestVanishedFileIsNoTrouble(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.start(nil)
		for _, told := range []bool{true, false} {
			f.drop("a", "END")
			f.none(time.Second)
			f.must(os.Remove(f.path("a")))
			if told {
				f.event("a", fsnotify.Remove)
				if n := f.waiting(); n != 0 {
					t.Errorf("%d files waited for after the event", n)
				}
			}
			f.none(time.Minute)
		}
		f.logged("WARN", 0)
	})
}

// Of the files that are ready the one that was written first is sent first, in
// whatever order the folder gives them.
func TestOldestFirst(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.start(nil)
		for i, name := range []string{"c", "e", "a", "d", "b"} {
			f.drop(name, "END")
			written := time.Date(2020, 1, 1, 0, 0, -i/2, -i%2, time.UTC) // a second, or a nanosecond, apart
			f.must(os.Chtimes(f.path(name), written, written))
		}
		time.Sleep(time.Minute) // all are ready
		for _, name := range []string{"b", "d", "a", "e", "c"} {
			synctest.Wait()
			f.wantIn(0, name)
		}
	})
}

func TestChangeWhileTheReaderStalls(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.start(nil)
		f.drop("a", "END")
		f.drop("b", "END")
		f.drop("c", "END")
		time.Sleep(time.Minute + time.Second) // all are ready, a is offered
		f.write("a", "changed END")
		f.event("a", fsnotify.Write)
		synctest.Wait()
		f.wantIn(0, "b")
		synctest.Wait() // c is offered
		f.wantIn(0, "c")
		f.wantIn(5*time.Second, "a")

		f.drop("d", "END")
		f.drop("e", "END")
		time.Sleep(10 * time.Second)
		f.write("e", "changed END") // no event: seen when its turn comes
		f.wantIn(0, "d")
		f.wantIn(5*time.Second, "e")

		f.drop("g", "END")
		time.Sleep(10*time.Second + 1) // it is offered, and not looked at right now
		f.write("g", "changed END")    // no event
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f.want(5*time.Second, "g")
		if n := len(f.inspected); f.inspected[n-2] != "g" || f.inspected[n-1] != "g" {
			t.Errorf("looked into %q", f.inspected)
		}
	})
}

// An event that a candidate is no file any more is enough to forget it.
func TestReplacedByWhatIsNoFile(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.start(nil)
		f.drop("a", "END")
		f.drop("b", "END")
		f.drop("d/c", "END")
		f.event("d", fsnotify.Create)
		f.none(time.Second)
		f.must(os.Remove(f.path("a")))
		f.must(os.Mkdir(f.path("a"), 0o755))
		f.event("a", fsnotify.Create)
		f.must(os.Remove(f.path("b")))
		f.must(syscall.Mkfifo(f.path("b"), 0o644))
		f.event("b", fsnotify.Create)
		if n := f.waiting(); n != 1 {
			t.Errorf("%d files waited for", n)
		}
		f.must(os.RemoveAll(f.path("d"))) // no event
		f.write("d", "END")
		f.event("d", fsnotify.Create)
		f.wantIn(5*time.Second, "d")
		f.logged("WARN", 0)
	})
}
