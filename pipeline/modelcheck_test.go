package pipeline

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"docusort/store"
)

// check returns what is wrong.
func (m *model) check() (wrong []string) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	m.checkFiles(complain)
	m.checkRecord(complain)
	if h := m.hold(); h != nil {
		complain("still on hold: %+v", h)
	}
	return wrong
}

// checkFiles checks that each content lies where it belongs, as often as it was dropped.
func (m *model) checkFiles(complain func(format string, args ...any)) {
	for place := range tree(m.t, m.inbox) {
		complain("%q is still in the inbox", place)
	}
	there := tree(m.t, m.sorted)
	copies := make(map[string]int)
	for path, content := range there {
		if strings.HasSuffix(path, ".json") {
			continue
		}
		copies[content]++
		answer := m.kinds[hashOf(content)]
		folder := answer.Code
		if answer.Confidence < 0.5 {
			folder = "_review/" + folder
		}
		if is := filepath.Dir(path); is != folder && !slices.Contains(m.decided[content], is) {
			complain("%q is of %q; persons said %q", path, folder, m.decided[content])
		}
		if _, ok := there[path+".json"]; !ok {
			complain("%q has no sidecar", path)
		}
	}
	for content, n := range m.want {
		if copies[content] != n {
			complain("%d copies of %q, want %d", copies[content], content, n)
		}
		delete(copies, content)
	}
	for content := range copies {
		complain("a file of unknown content: %q", content)
	}
}

// checkRecord checks what the record says, and what it paid for.
func (m *model) checkRecord(complain func(format string, args ...any)) {
	there := tree(m.t, m.sorted)
	submissions, polls, again := 0, 0, make(map[string]int)
	for _, d := range m.docs() {
		submissions += d.Submissions
		polls += d.Polls
		again[fmt.Sprintf("%x", d.SHA256)] += d.Resubmissions
		switch {
		case !d.State.Finished():
			complain("document %d is %s: %s", d.ID, d.State, d.Error)
		case d.State == store.Gone:
			again[fmt.Sprintf("%x", d.SHA256)]++ // another one of its content may be submitted
		case d.State == store.Failed:
			complain("document %d failed: %s", d.ID, d.Error)
		case fmt.Sprintf("%x", d.SHA256) != hashOf(there[d.Target]):
			complain("document %d is not at its target %q", d.ID, d.Target)
		case d.State == store.Filed && d.Type != filepath.Dir(d.Target):
			complain("document %d is a %s at %q", d.ID, d.Type, d.Target)
		}
	}
	st := m.service.Stats()
	if submissions < st.Submissions || polls > st.Polls {
		complain("the database has %d submissions and %d polls, the service saw %d and %d",
			submissions, polls, st.Submissions, st.Polls)
	}
	for sum, jobs := range st.JobsBySHA256 {
		if jobs > 1+again[sum] {
			complain("%d jobs for %.8s, %d of them explained", jobs, sum, 1+again[sum])
		}
	}
}
