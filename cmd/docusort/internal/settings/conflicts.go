package settings

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
)

func (l *loader) checkConflicts(s *Settings) {
	l.notMore("DOCUSORT_POLL_MIN", s.PollMin, "DOCUSORT_POLL_MAX", s.PollMax)
	l.notMore("DOCUSORT_SETTLE", s.Settle, "DOCUSORT_INCOMPLETE_AFTER", s.IncompleteAfter)
	// A job given up before its first poll would be paid for again and again.
	l.notMore("DOCUSORT_POLL_MIN", s.PollMin, "DOCUSORT_JOB_TIMEOUT", s.JobTimeout)

	l.apart("DOCUSORT_SORTED", s.Sorted, "DOCUSORT_INBOX", s.Inbox)
	l.apart("DOCUSORT_INBOX", s.Inbox, "DOCUSORT_SORTED", s.Sorted)
	for _, f := range []struct{ name, path string }{
		{"DOCUSORT_DATABASE", s.Database},
		{keyFileName, s.KeyFile}, // it would be uploaded
		{"DOCUSORT_HOOK", s.Hook},
	} {
		if f.path != "" {
			l.apart(f.name, f.path, "DOCUSORT_INBOX", s.Inbox)
			l.apart(f.name, f.path, "DOCUSORT_SORTED", s.Sorted)
		}
	}
}

func (l *loader) notMore(lowName string, low time.Duration, highName string, high time.Duration) {
	if low <= high || l.refused[lowName] || l.refused[highName] {
		return
	}
	// Name the one that the user has set; the other may be a default.
	if _, _, set := l.lookup(lowName); set {
		l.refuse(lowName, fmt.Sprintf("%v is more than %s, %v%s", low, highName, high, l.setWhere(highName)))
		return
	}
	l.refuse(highName, fmt.Sprintf("%v is less than %s, %v%s", high, lowName, low, l.setWhere(lowName)))
}

// apart notes a path that is a folder or lies inside it.
func (l *loader) apart(name, path, folderName, folder string) {
	real := func(path string) string { return path }
	if l.followLinks {
		real = resolve
	}
	if l.refused[name] || l.refused[folderName] || !Inside(real(path), real(folder)) {
		return
	}
	text := fmt.Sprintf("%s is inside %s, %s%s: choose places outside each other", display.Printable(path), folderName, display.Printable(folder), l.setWhere(folderName))
	if path == folder {
		text = fmt.Sprintf("%s is the same as %s%s: choose places outside each other", display.Printable(path), folderName, l.setWhere(folderName))
	}
	l.refuse(name, text)
}

func (l *loader) setWhere(name string) string {
	if _, origin, set := l.lookup(name); set {
		return " (" + origin + ")"
	}
	return " (its default)"
}

// resolve follows the symbolic links of a path as far as it exists and may be
// looked at.
func resolve(path string) string {
	rest := ""
	for folder := path; ; folder = filepath.Dir(folder) {
		if real, err := filepath.EvalSymlinks(folder); err == nil {
			return filepath.Join(real, rest)
		}
		if folder == filepath.Dir(folder) {
			return path
		}
		rest = filepath.Join(filepath.Base(folder), rest)
	}
}

// Inside reports whether a clean path is a folder or lies in it.
func Inside(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
