package status

import (
	"cmp"
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
	"docusort/store"
)

// How many documents a page lists.
const lastDocuments, lastFailures, maxUnderway = 100, 10, 50

// window is how far back the numbers and plots of a page go.
type window struct {
	Name, Text string
	back       time.Duration // 0: no limit
}

var windows = []window{
	{"1h", "1 hour", time.Hour}, {"24h", "24 hours", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour}, {"all", "all", 0},
}

// inWindow serves what depends on the window that a request names. No name means
// a day.
func inWindow(serve func(http.ResponseWriter, *http.Request, window)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := cmp.Or(r.URL.Query().Get("window"), "24h")
		i := slices.IndexFunc(windows, func(w window) bool { return w.Name == name })
		if i < 0 {
			http.Error(w, "Unknown window.", http.StatusNotFound)
			return
		}
		serve(w, r, windows[i])
	}
}

type view struct {
	reading
	sections []section
}

// section is a part of the page that changes as a whole.
type section struct {
	ID      string        `json:"-"`
	HTML    template.HTML `json:"html"`
	Version string        `json:"version"` // differs where the HTML does
}

// pageData is what the sections are made of.
type pageData struct {
	*web.Overview
	Judged                 Health
	Underway, Failed, Last []web.Document
	More                   string // how many documents under way are not listed; empty: none
}

func readPage(ctx context.Context, r *store.Reader, w window, now time.Time) (data pageData, err error) {
	var f store.Filter
	if w.back > 0 {
		f.Since = now.Add(-w.back)
	}
	if data.Overview, err = web.Read(ctx, r, f, now); err != nil {
		return data, err
	}
	underway, err := r.Underway(ctx, maxUnderway)
	if err != nil {
		return data, err
	}
	failed, err := r.Last(ctx, true, lastFailures)
	if err != nil {
		return data, err
	}
	last, err := r.Last(ctx, false, lastDocuments)
	data.Underway, data.Failed, data.Last = shown(underway, now), shown(failed, now), shown(last, now)
	if more := data.Open() - len(underway); more > 0 {
		data.More = display.Count(more)
	}
	return data, err
}

func shown(docs []store.Document, now time.Time) []web.Document {
	out := make([]web.Document, 0, len(docs))
	for i := range docs {
		out = append(out, web.Show(&docs[i], now))
	}
	return out
}

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(web.Templates().Parse(pageSource))

var sectionNames = []string{"health", "numbers", "underway", "plots", "failures", "documents"}

func (d pageData) render() []section {
	var out []section
	for _, id := range sectionNames {
		var b strings.Builder
		if err := pageTemplate.ExecuteTemplate(&b, "section-"+id, d); err != nil {
			b.Reset()
			fmt.Fprintf(&b, `<p class="nothing">%s</p>`, template.HTMLEscapeString(err.Error()))
		}
		out = append(out, newSection(id, b.String()))
	}
	return out
}

func newSection(id, html string) section {
	sum := sha256.Sum256([]byte(html))
	return section{ID: id, HTML: template.HTML(html), Version: hex.EncodeToString(sum[:8])} // #nosec: of a template
}

// broken returns the sections of a page whose database cannot be read: what is
// wrong, and below it what was shown before.
func broken(err error, before *view) []section {
	out := []section{newSection("health", `<p class="line trouble"><span class="mark" aria-hidden="true">✗</span> the database cannot be read: `+
		template.HTMLEscapeString(display.Prose(err.Error()))+`</p>`)}
	if before != nil {
		return append(out, before.sections[1:]...)
	}
	for _, id := range sectionNames[1:] {
		out = append(out, newSection(id, ""))
	}
	return out
}

func (s *Server) page(w http.ResponseWriter, _ *http.Request, chosen window) {
	sections := make(map[string]section)
	for _, part := range s.cache.view(chosen).sections {
		sections[part.ID] = part
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := pageTemplate.ExecuteTemplate(w, "page", map[string]any{
		"Name": s.cfg.Source.Where(), "Windows": windows, "Window": chosen, "Version": s.cfg.Version, "Zone": time.Now().Format("MST (-07:00)"), "Sections": sections,
	})
	if err != nil {
		s.cfg.Logger.Debug("status page not sent completely", "err", err)
	}
}
