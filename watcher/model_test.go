package watcher

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"pgregory.net/rapid"
)

// Whatever happens in the inbox, told of by events, by wrong events or by none:
// no unfinished file is sent before its time, and in the end every file that
// is there was sent as it is.
func TestModel(t *testing.T) {
	for _, mode := range []Mode{Auto, Poll} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				s := script.Draw(rt, "script") // whole: rapid cannot draw in a bubble
				s.mode = mode
				var problem string
				bubble(t, func(f *fixture) { problem = s.play(f) })
				if problem != "" {
					rt.Fatal(problem)
				}
			})
		})
	}
}

// story is what happens to one inbox.
type story struct {
	mode  Mode
	Room  int
	Hints int
	Batch int
	Moves []move
}

// move is one thing that happens, and how many files are received after it.
type move struct {
	What    int
	Path    string
	To      string
	Content string
	Told    bool
	Pause   time.Duration
	Receive int
}

var (
	anyPath = rapid.Custom(func(rt *rapid.T) string {
		in := rapid.SampledFrom([]string{"", "d/", "e/", "d/d/"}).Draw(rt, "in")
		return in + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "name")
	})
	script = rapid.Custom(func(rt *rapid.T) story {
		return story{
			Room:  rapid.IntRange(2, 6).Draw(rt, "room"),
			Hints: rapid.IntRange(1, 8).Draw(rt, "hints"),
			Batch: rapid.IntRange(1, 4).Draw(rt, "batch"),
			Moves: rapid.SliceOfN(rapid.Custom(drawMove), 1, 30).Draw(rt, "moves"),
		}
	})
)

func drawMove(rt *rapid.T) move {
	return move{
		What:    rapid.IntRange(0, 9).Draw(rt, "what"),
		Path:    anyPath.Draw(rt, "path"),
		To:      anyPath.Draw(rt, "to"),
		Content: rapid.SampledFrom([]string{"", "part", "END", "more END"}).Draw(rt, "content"),
		Told:    rapid.Bool().Draw(rt, "told"),
		Pause:   time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds")) * time.Second,
		Receive: rapid.IntRange(0, 3).Draw(rt, "receive"),
	}
}

// play lets the story happen. It returns what is wrong.
func (s story) play(f *fixture) (problem string) {
	const settle, after = 5 * time.Second, 2 * time.Minute
	f.cfg.Mode, f.cfg.Settle, f.cfg.IncompleteAfter = s.mode, settle, after
	f.remember()
	w := f.make()
	w.limits = limits{candidates: s.Room, hints: s.Hints, sent: 2, logged: 2, batch: s.Batch}
	touched := make(map[string]time.Time) // when its content last changed
	received := func(p string) {
		b, err := os.ReadFile(f.path(p))
		need := settle
		if !strings.HasSuffix(string(b), "END") {
			need = after
		}
		// What changes just when it is received, without an event, is the
		// receiver's to notice.
		if age := time.Since(touched[p]); err == nil && age > offerCheck && age < need {
			problem = fmt.Sprintf("%q with %q was sent %v after it changed", p, b, age)
		}
		f.received(p)
	}
	f.start(w)
	for _, m := range s.Moves {
		m.happen(f, touched)
		synctest.Wait()
		receive(f.files, received, m.Receive)
		synctest.Wait()
	}
	for range 20 { // longer than anything can take
		time.Sleep(time.Minute)
		synctest.Wait()
		for receive(f.files, received, 1) {
			synctest.Wait()
		}
	}
	if problem != "" {
		return problem
	}
	return unsent(f)
}

// receive takes up to n files that are there at once.
func receive(files <-chan string, received func(string), n int) bool {
	for range n {
		select {
		case p := <-files:
			received(p)
		default:
			return false
		}
	}
	return true
}

// unsent names a file in the inbox that was not sent as it is.
func unsent(f *fixture) (problem string) {
	filepath.WalkDir(f.root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		rel, _ := filepath.Rel(f.root, p)
		if err == nil && f.known[rel] != stateOf(info) {
			problem = fmt.Sprintf("%q was never sent as it is\n%s", rel, f.log)
		}
		return nil
	})
	return problem
}

// happen does something in the inbox, and may tell of it.
func (m move) happen(f *fixture, touched map[string]time.Time) {
	told := m.Told && f.opened()
	tell := func(rel string, op fsnotify.Op) {
		if told {
			f.event(rel, op)
		}
	}
	switch m.What {
	case 0, 1, 2:
		os.MkdirAll(filepath.Dir(f.path(m.Path)), 0o755)
		if os.WriteFile(f.path(m.Path), []byte(m.Content), 0o644) == nil {
			touched[m.Path] = time.Now()
		}
		if dir := filepath.Dir(m.Path); dir != "." {
			tell(dir, fsnotify.Create)
		}
		tell(m.Path, fsnotify.Create|fsnotify.Write)
	case 3:
		os.RemoveAll(f.path(m.Path))
		tell(m.Path, fsnotify.Remove)
	case 4:
		if os.Rename(f.path(m.Path), f.path(m.To)) == nil && m.To != m.Path { // to itself changes nothing
			touched[m.To] = time.Now()
		}
		tell(m.Path, fsnotify.Rename)
		tell(m.To, fsnotify.Create)
	case 5:
		if os.Rename(f.path("d"), f.path("e")) == nil {
			for _, x := range []string{"a", "b", "c"} {
				touched["e/"+x] = time.Now()
			}
		}
		tell("e", fsnotify.Create)
		tell("d", fsnotify.Rename)
	case 6:
		os.RemoveAll(f.root)
		tell("", fsnotify.Remove)
		time.Sleep(m.Pause / 4)
		os.Mkdir(f.root, 0o755)
	case 7:
		if told {
			f.fake.errs <- fsnotify.ErrEventOverflow
		}
	default:
		time.Sleep(m.Pause)
	}
}

// opened reports whether anybody listens to the fake.
func (f *fixture) opened() bool {
	f.fake.mu.Lock()
	defer f.fake.mu.Unlock()
	return f.fake.adds > 0
}
