package status

import (
	"context"
	"fmt"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/web"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// pageLength is how many documents a page of a list has.
const pageLength = 100

// list is what the sections of a list are made of.
type list struct {
	content // without the numbers
	Title   string
	Docs    []web.Document
	Pages   []choice
}

func readList(ctx context.Context, r *store.Reader, c content) (any, error) {
	data, q := list{content: c}, c.query
	var err error
	if data.Daemon, err = r.Daemon(ctx); err != nil {
		return data, err
	}
	skip := (q.page - 1) * pageLength
	docs, total, err := r.List(ctx, c.Filter, skip, pageLength)
	data.Docs = c.ShowAll(docs)
	data.Title = display.Things(total, "document")
	if total == 0 {
		data.Title = "No document matches"
	}
	if len(docs) > 0 && len(docs) < total {
		data.Title += fmt.Sprintf(", of which these are %s to %s", display.Count(skip+1), display.Count(skip+len(docs)))
	}
	last := max(1, (total+pageLength-1)/pageLength)
	for _, to := range []struct {
		text string
		page int
	}{{"first", 1}, {"previous", min(q.page-1, last)}, {"next", q.page + 1}, {"last", last}} {
		if to.page >= 1 && to.page <= last && to.page != q.page {
			data.Pages = append(data.Pages, choice{q.at(to.page).href(), to.text, false})
		}
	}
	return data, err
}

// Hint says what to do about documents in the state that was asked for.
func (l list) Hint() string {
	if len(l.Docs) == 0 {
		return ""
	}
	return wording.Hint(l.query.state, l.Source)
}
