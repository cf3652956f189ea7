package pipeline

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"

	"pgregory.net/rapid"
)

var modelRuns = flag.Int("model", 0, "how many random histories TestModel plays; 0: a few")

// act is one thing that happens.
type act struct {
	Do    string
	Place string
	Old   int // for a copy: which of the earlier contents
	Fault int
	After time.Duration // how long nothing happens then
}

var places = []string{"a.pdf", "b.pdf", "sub/a.pdf", "sub/deep/a.pdf", "two\nlines.pdf"}

var deeds = []string{"drop", "drop", "drop", "copy", "copy", "take", "move", "service", "service", "disk",
	"look", "stop", "kill", "wait", "wait", "refile", "hand", "back"}

var troubles = []docutraytest.Faults{
	{}, {Outage: docutraytest.OutageUnavailable}, {Outage: docutraytest.OutageDrop},
	{Account: docutraytest.AccountKeyRevoked}, {Account: docutraytest.AccountQuotaUsed},
	{Account: docutraytest.AccountNoTypes}, {Account: docutraytest.AccountNoAccess},
	{FailSubmit: 0.5}, {FailPoll: 0.5}, {DropBefore: 0.5}, {DropAfter: 0.5}, {DropPoll: 0.5},
	{BrokenJSON: 0.5}, {JobError: 0.5}, {JobForget: 0.3}, {JobNever: 0.3},
	{Stall: 0.3, StallFor: docutraytest.Duration(20 * time.Second)},
}

var history = rapid.SliceOfN(rapid.Custom(func(d *rapid.T) act {
	return act{
		Do:    rapid.SampledFrom(deeds).Draw(d, "do"),
		Place: rapid.SampledFrom(places).Draw(d, "place"),
		Old:   rapid.IntRange(0, 9).Draw(d, "old"),
		Fault: rapid.IntRange(0, len(troubles)-1).Draw(d, "fault"),
		After: rapid.SampledFrom([]time.Duration{
			0, 0, time.Millisecond, 300 * time.Millisecond, time.Second, 5 * time.Second, time.Minute, 20 * time.Minute,
		}).Draw(d, "after"),
	}
}), 1, 40)

// TestModel plays random histories and checks what must always hold (DESIGN §2).
func TestModel(t *testing.T) {
	runs := 40
	if *modelRuns > 0 {
		runs = *modelRuns
	}
	must(t, flag.Set("rapid.checks", fmt.Sprint(runs)))
	rapid.Check(t, func(d *rapid.T) {
		acts := history.Draw(d, "history") // whole: what is drawn in a bubble cannot be replayed
		seed := rapid.Uint64().Draw(d, "seed")
		base, err := os.MkdirTemp("/dev/shm", "model")
		if err != nil {
			t.Skip("no /dev/shm:", err)
		}
		defer os.RemoveAll(base)
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, base, seed)
			defer m.close()
			for _, a := range acts {
				m.play(a)
			}
			m.settle()
			wrong = m.check()
		})
		if len(wrong) > 0 {
			d.Fatal(strings.Join(wrong, "\n"))
		}
	})
}

// model is a rig, with what must become of each file.
type model struct {
	*rig
	taken string         // where what a user takes away goes
	all   []string       // every content, in the order of its making
	want  map[string]int // how many files of each content there must be
	// decided has the types that persons gave each content.
	decided map[string][]string
	// setFull fills the disk of the sorted documents, or frees it.
	setFull func(bool)
}

func newModel(t *testing.T, base string, seed uint64) *model {
	m := &model{want: make(map[string]int), decided: make(map[string][]string), taken: filepath.Join(base, "taken")}
	must(t, os.Mkdir(m.taken, 0o755))
	m.rig = newRig(t, base, docutraytest.Options{Latency: 4 * time.Second, Sigma: 0.5, Seed: seed, AltForms: true})
	mover, fault := faulty("rename")
	full := syscall.ENOSPC
	m.cfg.Mover, m.cfg.MaxAttempts, m.cfg.Sidecar, m.cfg.MinConfidence = mover, 1000, true, 0.5
	m.cfg.Workers, m.cfg.MaxPending = 2, 4
	m.setFull = func(is bool) {
		fault.Store(nil)
		if is {
			fault.Store(&full)
		}
	}
	m.start()
	return m
}

func (m *model) play(a act) {
	switch a.Do {
	case "drop":
		content := pdf(fmt.Sprint("content ", len(m.all)))
		m.all = append(m.all, content)
		m.put(a.Place, content)
	case "copy":
		if len(m.all) > 0 {
			m.put(a.Place, m.all[a.Old%len(m.all)])
		}
	case "take":
		m.take(a.Place)
	case "move":
		content, ok := m.take(a.Place)
		if ok {
			m.put(places[a.Old%len(places)], content)
		}
	case "service":
		m.service.SetFaults(troubles[a.Fault])
	case "disk":
		m.setFull(a.Fault%2 == 0)
	case "refile":
		m.refile(a.Old, kinds[a.Fault%3])
	case "hand":
		m.moveByHand(a.Old, kinds[a.Fault%3])
	case "back":
		m.moveBack(a.Old, a.Place)
	case "look":
		m.p.RetryNow(bg)
	case "stop", "kill":
		m.cfg.ShutdownGrace = 25 * time.Second
		if a.Do == "kill" {
			m.cfg.ShutdownGrace = 0
		}
		must(m.t, m.halt())
		m.start()
	}
	for end := time.Now().Add(a.After); ; {
		m.rescan()
		left := time.Until(end)
		if left <= 0 {
			return
		}
		time.Sleep(min(left, time.Minute))
	}
}

// put lays a file down in one step, as a scanner does that renames into place.
func (m *model) put(place, content string) {
	m.take(place)
	sum := hashOf(content)
	confidence := 0.9
	if sum[1]%4 == 0 {
		confidence = 0.3
	}
	m.knows(content, kinds[sum[0]%3], confidence)
	fresh := filepath.Join(m.taken, "fresh")
	must(m.t, os.WriteFile(fresh, []byte(content), 0o640))
	path := filepath.Join(m.inbox, place)
	must(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(m.t, os.Rename(fresh, path))
	m.want[content]++
}

var kinds = []string{"invoice", "receipt", "contract"}

// refile is a person's decision by command. It may fail, as where the disk does.
func (m *model) refile(which int, kind string) {
	docs := slices.DeleteFunc(m.docs(), func(d store.Document) bool { return d.State != store.Filed && d.State != store.Review })
	if len(docs) == 0 {
		return
	}
	doc := docs[which%len(docs)]
	if b, err := os.ReadFile(filepath.Join(m.sorted, doc.Target)); err == nil {
		m.decided[string(b)] = append(m.decided[string(b)], kind)
	}
	_, _ = m.p.refiler().Refile(bg, doc, kind)
}

// moveByHand moves a file out of _review into the folder of a type.
func (m *model) moveByHand(which int, kind string) {
	name := m.inReview(which)
	if name == "" {
		return
	}
	to := filepath.Join(m.sorted, kind, fmt.Sprint("by hand ", which, " ", time.Now().Unix(), ".pdf"))
	must(m.t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(m.t, os.Rename(filepath.Join(m.sorted, name), to))
	b, err := os.ReadFile(to)
	must(m.t, err)
	m.decided[string(b)] = append(m.decided[string(b)], kind)
}

// moveBack moves a file out of _review into the inbox.
func (m *model) moveBack(which int, place string) {
	name := m.inReview(which)
	if name == "" {
		return
	}
	m.take(place)
	must(m.t, os.MkdirAll(filepath.Dir(filepath.Join(m.inbox, place)), 0o755))
	must(m.t, os.Rename(filepath.Join(m.sorted, name), filepath.Join(m.inbox, place)))
}

// inReview returns one of the files in _review; "" where there is none.
func (m *model) inReview(which int) string {
	var names []string
	for name := range tree(m.t, m.sorted) {
		if strings.HasPrefix(name, "_review/") && !strings.HasSuffix(name, ".json") && !filing.IsTemporary(filepath.Base(name)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return names[which%len(names)]
}

// allThere reports whether every document in review is where the record says.
func (m *model) allThere() bool {
	return !slices.ContainsFunc(m.docs(), func(d store.Document) bool {
		_, err := os.Lstat(filepath.Join(m.sorted, d.Target))
		return d.State == store.Review && err != nil
	})
}

// take takes a file away, if it is still in the inbox.
func (m *model) take(place string) (content string, ok bool) {
	to := filepath.Join(m.taken, "taken")
	if err := os.Rename(filepath.Join(m.inbox, place), to); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.t.Error(err)
		}
		return "", false
	}
	b, err := os.ReadFile(to)
	must(m.t, err)
	m.want[string(b)]--
	return string(b), true
}

// rescan gives the pipeline each file that it does not know, as the watcher does.
func (m *model) rescan() {
	synctest.Wait()
	for place := range tree(m.t, m.inbox) {
		info, err := os.Lstat(filepath.Join(m.inbox, place))
		if err != nil {
			continue
		}
		known, err := m.p.Known(bg, place, info)
		must(m.t, err)
		if !known {
			m.files <- place
			synctest.Wait()
		}
	}
}

// settle lets all trouble end and waits until nothing is left to do. Now and then it
// drops another document: a job is taken for lost only where others are polled.
func (m *model) settle() {
	m.service.SetFaults(docutraytest.Faults{})
	m.setFull(false)
	m.p.RetryNow(bg) // as a person does who is told that no job was named
	for i := range 6 * 60 {
		if i%60 == 1 {
			m.put("other.pdf", pdf(fmt.Sprint("other ", i)))
		}
		m.rescan()
		counts, err := m.store.Counts(bg)
		must(m.t, err)
		if len(counts) == 0 && len(tree(m.t, m.inbox)) == 0 && m.hold() == nil && m.allThere() {
			return
		}
		time.Sleep(time.Minute)
	}
}
