package status

import (
	_ "embed"
	"net/http"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/web"
)

//go:embed follow.js
var follow string

//go:embed favicon.svg
var favicon string

// asset is a file of the page that is part of the program.
type asset struct{ contentType, text string }

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", a.contentType)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(a.text))
}

func assets() map[string]asset {
	return map[string]asset{
		"/style.css":   {"text/css; charset=utf-8", web.Style},
		"/follow.js":   {"text/javascript; charset=utf-8", follow},
		"/favicon.svg": {"image/svg+xml", favicon},
	}
}
