package wording

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// maxConsidered bounds how many types are shown that the service considered.
const maxConsidered = 5

// Considered lists the types that the service considered for a document with their
// confidences, the likeliest first.
func Considered(d *store.Document) string {
	type considered struct {
		Code       string
		Confidence float64
	}
	var all []considered
	if json.Unmarshal(d.Alternatives, &all) != nil || len(all) == 0 {
		return fmt.Sprintf("%s %.2f", display.Printable(d.Type), d.Confidence)
	}
	slices.SortStableFunc(all, func(a, b considered) int { return cmp.Compare(b.Confidence, a.Confidence) })
	var texts []string
	for _, a := range all[:min(len(all), maxConsidered)] {
		texts = append(texts, fmt.Sprintf("%s %.2f", display.Printable(a.Code), a.Confidence))
	}
	return strings.Join(texts, ", ")
}

// Decide is the command that files a document in review under the type that the service
// named. It is empty for other documents.
func Decide(d *store.Document, from settings.Source) string {
	if d.State != store.Review {
		return ""
	}
	return from.Refile(d.ID, d.Type)
}
