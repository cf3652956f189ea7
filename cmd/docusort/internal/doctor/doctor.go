package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"

	"golang.org/x/sys/unix"
)

// Doctor knows what to check.
type Doctor struct {
	*settings.Settings
	Fix     bool // make missing folders and correct their modes
	Watched bool // the inbox is locked, by a daemon

	// For tests; the zero values are the real ones.
	statfs        func(path string, st *unix.Statfs_t) error
	inotifyLimits string // the folder of the kernel's limits
}

// Check checks everything.
func (d Doctor) Check(ctx context.Context) []Result {
	reader, openErr := store.OpenReader(ctx, d.Database)
	known := func(string) bool { return false }
	if openErr == nil {
		defer reader.Close()
		known = func(path string) bool {
			known, err := reader.KnowsFolder(ctx, path)
			return err == nil && known
		}
	}
	results := []Result{
		d.folder("home", "DOCUSORT_HOME", d.Home, false),
		d.folder("inbox", "DOCUSORT_INBOX", d.Inbox, known(d.Inbox)),
		d.folder("sorted", "DOCUSORT_SORTED", d.Sorted, known(d.Sorted)),
	}
	results = append(results, d.typeFolders()...)
	w := d.walkInbox()
	results = append(results, d.members(w)...)
	results = append(results, d.moves(ctx)...)
	results = append(results, d.space(w.largest)...)
	results = append(results, d.inotify(w.folders), d.database(ctx, reader, openErr))
	return append(results, d.work(ctx, reader)...)
}

// Result is what one check found.
type Result struct {
	Name  string
	Wrong bool
	Text  string // what was found; or what is wrong, and what to do
}

// OK is the result of a check that found nothing wrong.
func OK(name, format string, args ...any) Result {
	return Result{Name: name, Text: fmt.Sprintf(format, args...)}
}

// Wrong is the result of a check that found something wrong.
func Wrong(name, format string, args ...any) Result {
	return Result{Name: name, Wrong: true, Text: fmt.Sprintf(format, args...)}
}

// AnyWrong reports whether anything is wrong.
func AnyWrong(results []Result) bool {
	return slices.ContainsFunc(results, func(r Result) bool { return r.Wrong })
}

// Write writes a line for each result.
func Write(w io.Writer, results []Result, color bool) error {
	width := 0
	for _, r := range results {
		width = max(width, len(r.Name))
	}
	for _, r := range results {
		mark, paint := "✓", "\x1b[32m"
		if r.Wrong {
			mark, paint = "✗", "\x1b[31m"
		}
		if color {
			mark = paint + mark + "\x1b[0m"
		}
		if _, err := fmt.Fprintf(w, "%s %-*s  %s\n", mark, width, r.Name, display.Prose(r.Text)); err != nil {
			return err
		}
	}
	return nil
}
