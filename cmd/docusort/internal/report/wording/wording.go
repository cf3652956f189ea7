package wording

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// Level is how much a line calls for a person.
type Level int

// The levels.
const (
	Fine    Level = iota
	Notice        // nothing is done, or only for a while
	Trouble       // something is wrong
)

// String returns the name of a level, which is also its class in HTML.
func (l Level) String() string { return [...]string{"fine", "notice", "trouble"}[l] }

// Mark is the sign before a line.
func (l Level) Mark() string { return [...]string{"●", "○", "✗"}[l] }

// Line is a line about the daemon.
type Line struct {
	Level Level
	Text  string
}

// Daemon says whether the daemon of a name runs.
func Daemon(name string, d store.Daemon, now time.Time) Line {
	switch {
	case d.Running && d.StartedAt.IsZero():
		return Line{Fine, name + " is starting"}
	case d.Running:
		return Line{Fine, fmt.Sprintf("%s has been running since %s, pid %d", name, display.Moment(d.StartedAt, now), d.PID)}
	case d.StartedAt.IsZero():
		return Line{Notice, name + " is not running and has never run"}
	case d.StoppedAt.IsZero():
		return Line{Trouble, fmt.Sprintf("%s is not running: it was killed or lost power some time after it started at %s; "+
			"it continues its work when it starts again", name, display.Moment(d.StartedAt, now))}
	}
	return Line{Notice, name + " is not running: it stopped at " + display.Moment(d.StoppedAt, now)}
}

// HoldLine is a line about a hold, with why it is there and what to do about it.
type HoldLine struct {
	Line
	Reason, Advice string
}

// Hold says what the daemon waits for, since when, and until when. It returns nil
// where there is no hold.
func Hold(h *store.Hold, now time.Time, from settings.Source) *HoldLine {
	if h == nil {
		return nil
	}
	text := fmt.Sprintf("on hold (%s) since %s", h.Kind, display.Moment(h.Since, now))
	if !h.Until.IsZero() {
		text += ", until " + display.Moment(h.Until, now)
	}
	level := Trouble
	if h.Kind == store.HoldRate {
		level = Notice
	}
	return &HoldLine{Line{level, text}, display.Prose(h.Reason), advice(h.Kind, from)}
}

func advice(kind store.HoldKind, from settings.Source) string {
	switch kind {
	case store.HoldAccount:
		return "Until that is mended documents stay in the inbox, and none fails because of it."
	case store.HoldDisk:
		return "The disk of the database or of the sorted folder is full, broken or read-only, or the database is locked: " +
			"free some space, repair the disk, or end the other program. " +
			"docusort tries again by itself. Until then documents stay where they are, and none fails because of it."
	case store.HoldInbox:
		return "If its disk or share is not mounted, mount it: docusort goes on by itself. If the folder was moved, move it back, " +
			"or stop docusort, name the new place in DOCUSORT_INBOX, run " + from.Command("relocate") + ", and start docusort. " +
			"Until then nothing is taken, and no document fails because of it."
	case store.HoldService:
		return "docusort tries again by itself. Until then documents stay in the inbox, and none fails because of it."
	}
	return "The service asked for a pause. There is nothing to do: docusort continues when it is over, and no document fails because of it."
}

// Hint says what to do about documents in a state; empty: nothing.
func Hint(state store.State, from settings.Source) string {
	switch state {
	case store.Failed:
		return "They are in _failed. " + from.Command("retry ID") + " puts one back into the inbox to try again."
	case store.Review:
		return "They are in _review. " + from.Command("refile ID TYPE") + " files one under the type that is right, and " +
			from.Command("refile ID --as-identified") + " under the one that the service named."
	}
	return ""
}

// ElsewhereHint says what to do about documents that lie in another sorted folder than that
// of the settings, where it was moved. Nobody looks: it may be on a disk that hangs.
func ElsewhereHint(folder, sorted string, from settings.Source) string {
	return "Some of these were filed in " + display.Printable(folder) + ". If that folder was moved to " + display.Printable(sorted) +
		", where the settings have it, run " + from.Command("relocate") + "."
}

// StuckHint says what to do about documents that are stuck.
func StuckHint(from settings.Source) string {
	return "docusort keeps trying, but they need somebody: " + from.Command("report --documents") + " says which they are."
}

// Scope says which documents a filter selects. It is empty where the filter selects
// all.
func Scope(f store.Filter, now time.Time) string {
	var only []string
	if !f.Since.IsZero() {
		only = append(only, "unfinished or finished since "+display.Moment(f.Since, now))
	}
	if f.State != "" {
		only = append(only, "in state "+display.Prose(string(f.State)))
	}
	if f.Type != "" {
		only = append(only, "of type "+display.Printable(f.Type))
	}
	if len(only) == 0 {
		return ""
	}
	return "Only documents " + strings.Join(only, ", ")
}

// Nothing says that there is no document to report. It is empty where there is one, or a
// file that is not taken.
func Nothing(s *store.Summary, f store.Filter) string {
	for _, n := range s.Totals {
		if n > 0 {
			return ""
		}
	}
	if len(s.NotTaken) > 0 {
		return ""
	}
	if f != (store.Filter{}) {
		return "No document matches."
	}
	return "There is nothing to report yet. Drop a document into the inbox, and it shows up here."
}

// NotTakenAfter is how long a file lies in the inbox before the report speaks of it without
// being asked for everything: most are taken by then.
const NotTakenAfter = time.Minute

// NotTaken returns the files to report: all of them, or those that have waited for long.
func NotTaken(files []store.NotTaken, now time.Time, all bool) []store.NotTaken {
	if all {
		return files
	}
	young := slices.IndexFunc(files, func(f store.NotTaken) bool { return now.Sub(f.Since) < NotTakenAfter })
	if young < 0 {
		return files
	}
	return files[:young] // those waiting longest come first
}

// State is what people call a state.
func State(s store.State) string {
	switch s {
	case store.Submitting:
		return "uploading"
	case store.Review:
		return "in review"
	}
	return string(s)
}

// Count is how many documents are in a state, in words.
type Count struct {
	State store.State
	Text  string
}

// Counts returns the counts that are not 0, of the finished or of the unfinished
// states.
func Counts(totals map[store.State]int, finished bool) []Count {
	var counts []Count
	for _, s := range store.States() {
		if n := totals[s]; n > 0 && s.Finished() == finished {
			counts = append(counts, Count{s, display.Count(n) + " " + State(s)})
		}
	}
	return counts
}

// Reasons returns at most limit reasons, safe to show, and one more for the
// documents of the total that they leave out: the database does not give every
// reason.
func Reasons(reasons []store.Reason, total, limit int) []store.Reason {
	var out []store.Reason
	for _, r := range reasons[:min(limit, len(reasons))] {
		out = append(out, store.Reason{Reason: cmp.Or(display.Prose(r.Reason), "no reason recorded"), Count: r.Count})
		total -= r.Count
	}
	if total > 0 && len(out) > 0 {
		out = append(out, store.Reason{Reason: "for other reasons", Count: total})
	}
	return out
}

// Sum is how many documents the reasons stand for.
func Sum(reasons []store.Reason) int {
	n := 0
	for _, r := range reasons {
		n += r.Count
	}
	return n
}

// MeanConfidence is that of the documents of a type; "-" where none has one.
func MeanConfidence(t store.TypeCount) string {
	if t.Rated == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", t.MeanConfidence)
}

// Latency says how long documents took.
func Latency(l *store.Latency) string {
	return fmt.Sprintf("half within %s, 95 %% within %s, the longest %s",
		display.Duration(l.P50), display.Duration(l.P95), display.Duration(l.Max))
}

// Requests says how often the service was asked.
func Requests(q store.Requests) string {
	text := display.Things(q.Submissions, "submission")
	if q.Resubmissions > 0 {
		text += fmt.Sprintf(" (%s repeated)", display.Count(q.Resubmissions))
	}
	text += ", " + display.Things(q.Polls, "poll")
	if q.Reused > 0 {
		text += "; " + display.Things(q.Reused, "answer") + " reused"
	}
	return text
}

// Path returns where a document is below sorted/. It is empty for one that has not
// been moved yet: the target is stored before the move.
func Path(d *store.Document) string {
	if d.StaysAt != "" { // asked about anew
		return filepath.Join(d.Sorted, d.StaysAt)
	}
	if d.Target == "" || !d.State.Finished() {
		return ""
	}
	return filepath.Join(d.Sorted, d.Target)
}
