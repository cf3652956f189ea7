package report

import (
	"context"
	"io"
	"time"

	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// Options say what to render, and for whom.
type Options struct {
	Filter    store.Filter
	Documents bool      // list the documents too
	Now       time.Time // zero: that of the call of Write; its location is that of the table's times
	Width     int       // columns of the terminal; 0: not a terminal, nothing is cut or broken
	Color     bool

	Name   string          // of the daemon, and where it runs; empty: docusort
	Source settings.Source // of the commands that are named
	Sorted string          // the sorted folder of the settings; empty: not known
}

// Formats are the ways to render the report; the first one is for people.
var Formats = []string{"table", "json", "csv", "html"}

// Write renders the report in one of the [Formats].
func Write(ctx context.Context, w io.Writer, r *store.Reader, format string, o Options) error {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	switch format {
	case "json":
		return writeJSON(ctx, w, r, o)
	case "csv":
		return writeCSV(ctx, w, r, o)
	case "html":
		return writeHTML(ctx, w, r, o)
	}
	return writeTable(ctx, w, r, o)
}

// Trouble reports whether something failed since f.Since, or within a day where that is
// zero, something is stuck, the daemon is on hold, or it was killed. State and type are
// ignored, so that what a person chooses to look at does not silence monitoring.
func Trouble(ctx context.Context, r *store.Reader, f store.Filter, now time.Time) (bool, error) {
	d, err := r.Daemon(ctx)
	if err != nil {
		return false, err
	}
	killed := !d.Running && !d.StartedAt.IsZero() && d.StoppedAt.IsZero()
	stuck, err := r.Stuck(ctx)
	if err != nil || d.Hold != nil || killed || stuck > 0 {
		return true, err
	}
	if f.Since.IsZero() {
		f.Since = now.Add(-24 * time.Hour)
	}
	s, err := r.Summary(ctx, store.Filter{Since: f.Since, State: store.Failed})
	return s.Totals[store.Failed] > 0, err
}
