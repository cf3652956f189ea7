package health

import (
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// Scope says which documents a filter leaves in; nothing where all are.
func Scope(f store.Filter, now time.Time) string {
	var only []string
	if !f.Since.IsZero() {
		only = append(only, "unfinished, or finished since "+display.Moment(f.Since, now))
	}
	if f.State != "" {
		only = append(only, "in state "+display.Prose(string(f.State)))
	}
	if f.Type != "" {
		only = append(only, "of type "+display.Printable(f.Type))
	}
	if len(only) == 0 {
		return ""
	}
	return "Only documents " + strings.Join(only, ", and ")
}
