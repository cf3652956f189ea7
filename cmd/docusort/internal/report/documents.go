package report

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

const (
	// leastRoom is how many columns a name needs to be recognised by.
	leastRoom = 24
	// typeRoom is how many it needs before the type gets a column: the folder
	// that follows the name says the type as well.
	typeRoom = 44
)

// column is one of the columns before the name. Their order is that of the row.
type column struct {
	head  string
	cell  func(*table, *store.Document) string
	style func(*store.Document) style
	right bool // set against its right side
	least int  // goes where a name has less room than this; 0: never. The greatest goes first
	width int
}

func columns() []*column {
	return []*column{
		{head: "ID", right: true, cell: func(_ *table, d *store.Document) string { return fmt.Sprint(d.ID) }},
		{head: "STATE", cell: func(_ *table, d *store.Document) string { return string(d.State) }, style: styleOf},
		{head: "TYPE", least: typeRoom, cell: func(_ *table, d *store.Document) string { return orDash(display.Printable(d.Type)) }},
		{head: "CONF", least: leastRoom, cell: confidence},
		{head: "AGE", right: true, least: leastRoom - 1, cell: func(t *table, d *store.Document) string {
			return display.Age(t.now.Sub(d.DiscoveredAt))
		}},
	}
}

func styleOf(d *store.Document) style {
	switch {
	case d.State == store.Failed:
		return red
	case d.State == store.Review || !d.State.Finished() && d.Error != "":
		return yellow
	case d.State == store.Filed:
		return green
	}
	return plain
}

func confidence(_ *table, d *store.Document) string {
	if d.Type == "" {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Confidence)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// listing is the table of documents.
type listing struct {
	*table
	columns []*column
	room    int    // columns for what follows; 0: no limit
	root    string // the one folder that targets are shown relative to; "": absolute
}

// documents lists them, a line each. They are read twice, to measure and then to
// write: both times they are the same, and they need not be in memory.
func (t *table) documents(ctx context.Context, r *store.Reader) error {
	l := &listing{table: t, columns: columns()}
	if err := l.measure(ctx, r); err != nil {
		return err
	}
	l.fit()
	title := "Documents"
	if l.root != "" {
		title += ", filed below "
	}
	t.line("")
	t.hang("", t.paint(bold, title)+display.Printable(l.root))
	var heads strings.Builder
	for _, c := range l.columns {
		heads.WriteString(c.pad(c.head) + "  ")
	}
	t.line(t.paint(dim, l.cut(heads.String()+"DOCUMENT")))
	return r.Documents(ctx, t.filter, l.row)
}

func (l *listing) measure(ctx context.Context, r *store.Reader) error {
	for _, c := range l.columns {
		c.width = len(c.head)
	}
	roots := 0
	err := r.Documents(ctx, l.filter, func(d *store.Document) error {
		for _, c := range l.columns {
			c.width = max(c.width, display.Width(c.cell(l.table, d)))
		}
		if moved(d) && d.Sorted != l.root {
			roots++
			l.root = d.Sorted
		}
		return nil
	})
	if roots != 1 || l.width == 0 {
		l.root = ""
	}
	return err
}

// fit gives up columns until a name has room.
func (l *listing) fit() {
	if l.width == 0 {
		return
	}
	for {
		l.room = l.width
		goes := -1
		for i, c := range l.columns {
			c.width = min(c.width, max(l.width/6, len("identified")))
			l.room -= c.width + 2
			if c.least > 0 && (goes < 0 || c.least > l.columns[goes].least) {
				goes = i
			}
		}
		if goes < 0 || l.room >= l.columns[goes].least {
			break
		}
		l.columns = slices.Delete(l.columns, goes, goes+1)
	}
	l.room = max(l.room, 1)
}

func (c *column) pad(s string) string {
	if c.right {
		return display.PadLeft(s, c.width)
	}
	return display.Pad(s, c.width)
}

func (l *listing) cut(s string) string {
	if l.width == 0 {
		return s
	}
	return display.Cut(s, l.width)
}

// row writes the line of a document, as long as anybody listens.
func (l *listing) row(d *store.Document) error {
	var b strings.Builder
	for _, c := range l.columns {
		text := c.cell(l.table, d)
		if l.width > 0 {
			text = display.CutMiddle(text, c.width)
		}
		text = c.pad(text)
		if c.style != nil {
			text = l.paint(c.style(d), text)
		}
		b.WriteString(text + "  ")
	}
	name, why := l.place(display.Printable(d.Source), l.target(d), display.Prose(d.Error))
	b.WriteString(name)
	if why != "" {
		b.WriteString("  " + l.paint(dim, why))
	}
	return l.line(b.String())
}

// target says where the document went, or nothing. On a terminal it is short: the
// folder alone where the name stayed the same.
func (l *listing) target(d *store.Document) string {
	switch {
	case !moved(d):
		return ""
	case l.root == "":
		return display.Printable(filepath.Join(d.Sorted, d.Target))
	case filepath.Base(d.Target) == filepath.Base(d.Source):
		return display.Printable(filepath.Dir(d.Target) + "/")
	}
	return display.Printable(d.Target)
}

// place fits where the document was, where it is, and why it went wrong into the
// room: what is long gives way first, but each keeps its share.
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
	if target == "" {
		return display.CutMiddle(source, room)
	}
	room -= 2 + display.Width(display.Arrow)
	if room < 2 {
		return display.CutMiddle(source, room+3)
	}
	s, t := display.Width(source), display.Width(target)
	t = min(t, max(room/2, room-s))
	return display.CutMiddle(source, room-t) + " " + display.Arrow + " " + display.CutMiddle(target, t)
}
