package report

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// Options say what to render, and for whom.
type Options struct {
	Filter    store.Filter
	Documents bool      // list the documents too
	Now       time.Time // zero: the time of the call; its location is that of the table's times
	Width     int       // columns of the terminal; 0: not a terminal, nothing is cut or broken
	Color     bool

	Name   string          // of the daemon, and where it runs; empty: docusort
	Source settings.Source // of the commands that are named
}

func (o Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}

// Format names a way to render the report. It is a flag's value (as [flag.Value]
// and pflag want it) that accepts what [Formats] lists.
type Format string

// FormatTable is for people.
const FormatTable Format = "table"

type renderer func(context.Context, io.Writer, *store.Reader, Options) error

var renderers = []struct {
	format Format
	render renderer
}{{FormatTable, Table}, {"json", JSON}, {"csv", CSV}, {"html", HTML}}

// Formats lists the formats.
func Formats() []string {
	var names []string
	for _, r := range renderers {
		names = append(names, string(r.format))
	}
	return names
}

// String returns the name of the format.
func (f *Format) String() string { return string(*f) }

// Set takes the name of a format.
func (f *Format) Set(name string) error {
	for _, r := range renderers {
		if name == string(r.format) {
			*f = r.format
			return nil
		}
	}
	return fmt.Errorf("unknown format %q; choose from %s", name, strings.Join(Formats(), ", "))
}

// Type describes the value in a help text.
func (f *Format) Type() string { return strings.Join(Formats(), "|") }

// Write renders the report in a format of [Formats].
func Write(ctx context.Context, w io.Writer, r *store.Reader, f Format, o Options) error {
	for _, known := range renderers {
		if known.format == f {
			return known.render(ctx, w, r, o)
		}
	}
	return f.Set(string(f))
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
