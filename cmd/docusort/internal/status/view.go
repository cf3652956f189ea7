package status

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/web"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/store"
)

// view is what a page shows, as of one reading.
type view struct {
	reading
	sections []section
	types    []string // that documents were identified as
}

// section is a part of the page that changes as a whole.
type section struct {
	ID      string        `json:"-"`
	HTML    template.HTML `json:"html"`
	Version string        `json:"version"` // differs where the HTML does
}

// Label is the section's name for those who cannot see where it begins.
func (s section) Label() string { return sectionLabels[s.ID] }

var sectionLabels = map[string]string{
	"health": "State of docusort", "numbers": "Numbers", "underway": "In progress", "plots": "Over time",
	"failures": "Types and failures", "documents": "Documents",
}

// sections are those of a page, in their order.
func (q query) sections() []string {
	if q.isList {
		return []string{"health", "documents"}
	}
	return []string{"health", "numbers", "underway", "plots", "failures", "documents"}
}

// maxTypeChoices is how many types the form offers.
const maxTypeChoices = 200

// render reads what a page shows and makes its sections.
func (c *cache) render(ctx context.Context, r *store.Reader, q query, health Health, now time.Time) (v *view, err error) {
	v = &view{}
	if v.types, err = r.Types(ctx); err != nil {
		return nil, err
	}
	v.types = v.types[:min(len(v.types), maxTypeChoices)]
	read, prefix := readOverview, "section-"
	if q.isList {
		read, prefix = readList, "list-"
	}
	data, err := read(ctx, r, content{&web.Overview{Now: now, Filter: q.filter(now), Source: c.cfg.Source}, q, health})
	if err != nil {
		return nil, err
	}
	for _, id := range q.sections() {
		var b strings.Builder
		if err := pageTemplate.ExecuteTemplate(&b, prefix+id, data); err != nil {
			b.Reset()
			fmt.Fprintf(&b, `<p class="nothing">%s</p>`, template.HTMLEscapeString(err.Error()))
		}
		v.sections = append(v.sections, newSection(id, b.String()))
	}
	return v, nil
}

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(web.Templates().Parse(pageSource))

func newSection(id, html string) section {
	sum := sha256.Sum256([]byte(html))
	return section{ID: id, HTML: template.HTML(html), Version: hex.EncodeToString(sum[:8])} // #nosec: of a template
}

// broken returns the page of a database that cannot be read: what is wrong, and
// below it what was shown before.
func (q query) broken(err error, before *view) *view {
	v := &view{sections: []section{newSection("health", `<p class="line trouble"><span class="mark" aria-hidden="true">✗</span> the database cannot be read: `+
		template.HTMLEscapeString(display.Prose(err.Error()))+`</p>`)}}
	if before != nil {
		v.sections, v.types = append(v.sections, before.sections[1:]...), before.types
		return v
	}
	for _, id := range q.sections()[1:] {
		v.sections = append(v.sections, newSection(id, ""))
	}
	return v
}

// busy says that the database is being read for others.
const busy = "Others are reading a great deal just now. Please try again in a moment."

func (s *Server) page(w http.ResponseWriter, r *http.Request, q query) {
	v, err := s.cache.view(r.Context(), q)
	if err != nil {
		w.Header().Set("Retry-After", "15")
		http.Error(w, busy, http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err = pageTemplate.ExecuteTemplate(w, "page", map[string]any{
		"Name": s.cfg.Source.Where(), "Version": s.cfg.Version, "Zone": time.Now().Format("MST (-07:00)"),
		"Sections": v.sections, "List": q.isList, "Events": "/events?" + q.params(), "Windows": q.windowLinks(),
		"Window": q.window.Name, "States": q.stateChoices(), "Types": q.typeChoices(v.types), "Search": q.search, "Words": wording.Words(),
	})
	if err != nil {
		s.cfg.Logger.Debug("status page not sent completely", "err", err)
	}
}

// choice is a link, or an option of a form.
type choice struct {
	Value, Text string
	Chosen      bool
}

func (q query) windowLinks() (all []choice) {
	for _, w := range windows {
		all = append(all, choice{q.in(w).href(), w.Text, w == q.window})
	}
	return all
}

func (q query) stateChoices() []choice {
	all := []choice{{"", "any", false}}
	for _, s := range states() {
		all = append(all, choice{string(s), wording.State(s), s == q.state})
	}
	return all
}

func (q query) typeChoices(types []string) []choice {
	all := []choice{{"", "any", false}}
	if q.typeCode != "" && !slices.Contains(types, q.typeCode) {
		types = append([]string{q.typeCode}, types...)
	}
	for _, code := range types {
		all = append(all, choice{code, display.Printable(code), code == q.typeCode})
	}
	return all
}
