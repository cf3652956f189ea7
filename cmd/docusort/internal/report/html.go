package report

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"html/template"
	"io"

	"docusort/cmd/docusort/internal/report/web"
	"docusort/store"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(web.Templates().Parse(pageSource))

type htmlPage struct {
	*web.Overview
	Name      string
	Documents bool
	Style     template.CSS
}

// writeHTML writes the report as one self-contained page: it has no script and fetches
// nothing, and its own policy tells the browser so.
func writeHTML(ctx context.Context, w io.Writer, r *store.Reader, o Options) error {
	overview := &web.Overview{Now: o.Now, Filter: o.Filter, Source: o.Source}
	if err := overview.Read(ctx, r); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	page := htmlPage{
		Overview: overview, Name: cmp.Or(o.Name, "docusort"), Documents: o.Documents, Style: template.CSS(web.Style), // #nosec: our own
	}
	if err := pageTemplate.ExecuteTemplate(out, "begin", page); err != nil {
		return err
	}
	if o.Documents {
		err := r.Documents(ctx, o.Filter, func(d *store.Document) error {
			return pageTemplate.ExecuteTemplate(out, "document", overview.Show(d))
		})
		if err != nil {
			return err
		}
	}
	if err := pageTemplate.ExecuteTemplate(out, "end", page); err != nil {
		return err
	}
	return out.Flush()
}
