package doctor

import (
	"context"

	"docusort/store"
)

// Doctor knows what to check.
type Doctor struct {
	Home, Inbox, Sorted, Database string
	Recursive, Inotify            bool // how the inbox is watched
	// Fix makes missing folders and corrects their modes.
	Fix bool

	// For tests; the zero values are the real ones.
	spaceAt       func(path string) (space, error)
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
		d.folder("home", "DOCUSORT_HOME", d.Home, 0o755, false),
		d.folder("inbox", "DOCUSORT_INBOX", d.Inbox, 0o775, known(d.Inbox)),
		d.folder("sorted", "DOCUSORT_SORTED", d.Sorted, 0o775, known(d.Sorted)),
	}
	results = append(results, d.typeFolders()...)
	results = append(results, d.moves()...)
	results = append(results, d.space()...)
	return append(results, d.inotify(), d.database(ctx, reader, openErr))
}
