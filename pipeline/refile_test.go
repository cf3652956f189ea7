package pipeline

import (
	"encoding/json"
	"strings"
	"testing"

	"docusort/pipeline/docutray"
	"docusort/store"
)

// Whatever persons decide after it, the service's own answer stays known, and its confidence.
func TestAsIdentified(t *testing.T) {
	for _, alternatives := range []json.RawMessage{
		nil, json.RawMessage(`[{"code":"other","confidence":0.6},{"code":"receipt","confidence":0.5},{"code":"invoice","confidence":0.1}]`),
	} {
		doc := store.Document{ID: 1, State: store.Review, Type: "receipt", Confidence: 0.5, Alternatives: alternatives}
		for _, kind := range []string{"invoice", "contract", "receipt", "receipt", "invoice"} {
			doc = decided(doc, store.Decision{ID: 1, Type: kind})
			is, known := AsIdentified(&doc)
			if !known || is != (docutray.Type{Code: "receipt", Confidence: 0.5}) {
				t.Errorf("as %s it was identified as %v, known: %v", kind, is, known)
			}
			if n := strings.Count(string(doc.Alternatives), "receipt"); n > 1 {
				t.Errorf("as %s it has %d such alternatives", kind, n)
			}
			same(t, "has the service's confidence as "+kind, doc.Rated(), kind == "receipt")
		}
	}
	failed := decided(store.Document{State: store.Failed}, store.Decision{Type: "invoice"})
	if is, known := AsIdentified(&failed); known {
		t.Errorf("what the service never answered was identified as %v", is)
	}
}
