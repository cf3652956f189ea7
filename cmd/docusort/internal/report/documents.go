package report

import (
	"context"
	"fmt"
	"path/filepath"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// column says how a column is written.
type column struct {
	right   bool // aligned to the right
	least   int  // dropped where a name would have less room than this; 0: never
	width   int
	dropped bool
}

func widen(columns []column, cells []string) {
	for i, cell := range cells {
		columns[i].width = max(columns[i].width, display.Width(cell))
	}
}

// listing is the table of documents.
type listing struct {
	*table
	columns []column
	room    int    // columns for what follows; 0: no limit
	root    string // the one folder that targets are shown relative to; "": absolute
}

// The columns before the name.
var heads = []string{"ID", "STATE", "TYPE", "CONF", "AGE"}

// cells are what a document has in the columns.
func (l *listing) cells(d *store.Document) []string {
	kind, confidence := "-", "-"
	if d.Type != "" {
		kind = display.Printable(d.Type)
	}
	if d.Rated() {
		confidence = fmt.Sprintf("%.2f", d.Confidence)
	}
	return []string{fmt.Sprint(d.ID), string(d.State), kind, confidence, display.Age(l.Now.Sub(d.DiscoveredAt))}
}

// documents lists the documents, one per line. It reads them twice, first to
// measure and then to write, so that they need not be in memory.
func (t *table) documents(ctx context.Context, r *store.Reader) error {
	// The type is dropped first, because the folder that follows the name says it as
	// well. A name needs 24 columns to be recognised by.
	l := &listing{table: t, columns: []column{{right: true}, {}, {least: 44}, {least: 24}, {right: true, least: 23}}}
	if err := l.measure(ctx, r); err != nil {
		return err
	}
	title := "Documents"
	if l.root != "" {
		title += ", filed below "
	}
	t.line("")
	t.hang("", t.paint(bold, title)+display.Printable(l.root))
	head := l.join(l.columns, heads, plain) + "DOCUMENT"
	if l.Width > 0 {
		head = display.Cut(head, l.Width)
	}
	t.line(t.paint(dim, head))
	return r.Documents(ctx, t.Filter, l.row)
}

// join writes cells into their columns. state is the style of the second one.
func (t *table) join(columns []column, cells []string, state style) string {
	line := ""
	for i, c := range columns {
		if c.dropped {
			continue
		}
		cell := cells[i]
		if t.Width > 0 {
			cell = display.CutMiddle(cell, c.width)
		}
		pad := display.Pad
		if c.right {
			pad = display.PadLeft
		}
		cell = pad(cell, c.width)
		if i == 1 {
			cell = t.paint(state, cell)
		}
		line += cell + "  "
	}
	return line
}

// measure finds how wide the columns are, and drops some until a name has room.
func (l *listing) measure(ctx context.Context, r *store.Reader) error {
	widen(l.columns, heads)
	roots := 0
	err := r.Documents(ctx, l.Filter, func(d *store.Document) error {
		widen(l.columns, l.cells(d))
		if wording.Path(d) != "" && d.Sorted != l.root {
			roots++
			l.root = d.Sorted
		}
		return nil
	})
	if roots != 1 || l.Width == 0 {
		l.root = ""
	}
	if l.Width == 0 || err != nil {
		return err
	}
	l.room = l.Width
	for i := range l.columns {
		c := &l.columns[i]
		c.width = min(c.width, max(l.Width/6, len("identified")))
		l.room -= c.width + 2
	}
	for i := range l.columns {
		if c := &l.columns[i]; l.room < c.least {
			c.dropped = true
			l.room += c.width + 2
		}
	}
	l.room = max(l.room, 1)
	return nil
}

func (l *listing) row(d *store.Document) error {
	state := stateStyles[d.State]
	if d.Error != "" && !d.State.Finished() {
		state = yellow
	}
	name, why := l.place(display.Printable(d.Source), l.target(d), display.Prose(d.Error))
	if why != "" {
		why = "  " + l.paint(dim, why)
	}
	return l.line(l.join(l.columns, l.cells(d), state) + name + why)
}

// target says where the document went. On a terminal that is short: the folder
// alone where the name stayed the same.
func (l *listing) target(d *store.Document) string {
	path := l.path(d)
	switch {
	case path == "" || l.root == "":
		return display.Printable(path)
	case filepath.Base(d.Target) == filepath.Base(d.Source):
		return display.Printable(filepath.Dir(d.Target) + "/")
	}
	return display.Printable(d.Target)
}

// place fits where the document was, where it is, and why it went wrong into the
// room. Each of them keeps a share.
func (l *listing) place(source, target, why string) (name, reason string) {
	name = source
	if target != "" {
		name += " " + display.Arrow + " " + target
	}
	rest := 0
	if why != "" {
		rest = 2 + display.Width(why)
	}
	if l.room == 0 || display.Width(name)+rest <= l.room {
		return name, why
	}
	if why == "" {
		return fitPair(source, target, l.room), ""
	}
	// The reason matters more than the folder of what failed, which is known.
	room := l.room - min(rest, l.room/2)
	if display.Width(name) > room {
		name = display.CutMiddle(source, room)
	}
	return name, display.Cut(why, l.room-2-display.Width(name))
}

// fitPair shortens a name and a target together.
func fitPair(source, target string, room int) string {
	separator := " " + display.Arrow + " "
	each := room - display.Width(separator)
	if target == "" || each < 2 {
		return display.CutMiddle(source, room)
	}
	t := min(display.Width(target), max(each/2, each-display.Width(source)))
	return display.CutMiddle(source, each-t) + separator + display.CutMiddle(target, t)
}
