package report

import (
	"context"
	"fmt"
	"path/filepath"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// column is one of the columns before the name.
type column struct {
	head    string
	right   bool // aligned to the right
	least   int  // dropped where a name would have less room than this; 0: never
	width   int
	dropped bool
}

// listing is the table of documents.
type listing struct {
	*table
	columns [5]column
	room    int    // columns for what follows; 0: no limit
	root    string // the one folder that targets are shown relative to; "": absolute
}

// The columns in their order. The type goes first, because the folder that follows
// the name says it as well; a name needs 24 columns to be recognised by.
var documentColumns = [5]column{
	{head: "ID", right: true}, {head: "STATE"}, {head: "TYPE", least: 44}, {head: "CONF", least: 24},
	{head: "AGE", right: true, least: 23},
}

// cells are what a document has in the columns.
func (l *listing) cells(d *store.Document) [5]string {
	kind, confidence := "-", "-"
	if d.Type != "" {
		kind, confidence = display.Printable(d.Type), fmt.Sprintf("%.2f", d.Confidence)
	}
	return [5]string{fmt.Sprint(d.ID), string(d.State), kind, confidence, display.Age(l.now.Sub(d.DiscoveredAt))}
}

// documents lists the documents, one per line. It reads them twice, first to
// measure and then to write, so that they need not be in memory.
func (t *table) documents(ctx context.Context, r *store.Reader) error {
	l := &listing{table: t, columns: documentColumns}
	if err := l.measure(ctx, r); err != nil {
		return err
	}
	title := "Documents"
	if l.root != "" {
		title += ", filed below "
	}
	t.line("")
	t.hang("", t.paint(bold, title)+display.Printable(l.root))
	heads := ""
	for _, c := range l.columns {
		if !c.dropped {
			heads += c.pad(c.head) + "  "
		}
	}
	heads += "DOCUMENT"
	if l.width > 0 {
		heads = display.Cut(heads, l.width)
	}
	t.line(t.paint(dim, heads))
	return r.Documents(ctx, t.filter, l.row)
}

// measure finds how wide the columns are, and drops some until a name has room.
func (l *listing) measure(ctx context.Context, r *store.Reader) error {
	for i := range l.columns {
		l.columns[i].width = len(l.columns[i].head)
	}
	roots := 0
	err := r.Documents(ctx, l.filter, func(d *store.Document) error {
		for i, cell := range l.cells(d) {
			l.columns[i].width = max(l.columns[i].width, display.Width(cell))
		}
		if wording.Path(d) != "" && d.Sorted != l.root {
			roots++
			l.root = d.Sorted
		}
		return nil
	})
	if roots != 1 || l.width == 0 {
		l.root = ""
	}
	if l.width == 0 {
		return err
	}
	l.room = l.width
	for i := range l.columns {
		c := &l.columns[i]
		c.width = min(c.width, max(l.width/6, len("identified")))
		l.room -= c.width + 2
	}
	for i := 2; i < len(l.columns) && l.room < l.columns[i].least; i++ {
		l.columns[i].dropped = true
		l.room += l.columns[i].width + 2
	}
	l.room = max(l.room, 1)
	return err
}

func (c *column) pad(s string) string {
	if c.right {
		return display.PadLeft(s, c.width)
	}
	return display.Pad(s, c.width)
}

// row writes the line of a document.
func (l *listing) row(d *store.Document) error {
	line := ""
	for i, cell := range l.cells(d) {
		c := &l.columns[i]
		if c.dropped {
			continue
		}
		if l.width > 0 {
			cell = display.CutMiddle(cell, c.width)
		}
		cell = c.pad(cell)
		if c.head == "STATE" {
			cell = l.paint(styleOf(d), cell)
		}
		line += cell + "  "
	}
	name, why := l.place(display.Printable(d.Source), l.target(d), display.Prose(d.Error))
	if why != "" {
		why = "  " + l.paint(dim, why)
	}
	return l.line(line + name + why)
}

func styleOf(d *store.Document) style {
	if d.Error != "" && !d.State.Finished() {
		return yellow
	}
	return stateStyles[d.State]
}

// target says where the document went. On a terminal that is short: the folder
// alone where the name stayed the same.
func (l *listing) target(d *store.Document) string {
	path := wording.Path(d)
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
