package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestLowConfidenceGoesToReviewWithItsSidecar(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.dropUnsure("scan.pdf", pdf("unsure"), "receipt", 0.6)
		d := r.reaches("scan.pdf", store.Review, time.Minute)
		sameList(t, "sorted", r.names(), "_review/receipt/scan.pdf")
		var s sidecar
		must(t, json.Unmarshal([]byte(tree(t, r.sorted)["_review/receipt/scan.pdf.json"]), &s))
		same(t, "type", s.Type, "receipt")
		same(t, "confidence", *s.Confidence, 0.6)
		same(t, "alternatives", strings.Join(strings.Fields(string(s.Alternatives)), ""),
			`[{"code":"receipt","confidence":0.6},{"code":"other","confidence":0.4}]`)
		same(t, "job", s.JobID, d.JobID)
		same(t, "hash", s.SHA256, hashOf(pdf("unsure")))
		same(t, "source", s.Source, "scan.pdf")
		if s.DiscoveredAt.IsZero() || s.SubmittedAt.IsZero() || s.IdentifiedAt.Before(s.SubmittedAt) {
			t.Errorf("times: %v, %v, %v", s.DiscoveredAt, s.SubmittedAt, s.IdentifiedAt)
		}
		// A person may drop another of that name: the sidecars must not meet.
		must(t, os.Remove(filepath.Join(r.sorted, "_review/receipt/scan.pdf"))) // taken, and the sidecar left
		r.dropUnsure("b/scan.pdf", pdf("unsure too"), "receipt", 0.5)
		r.reaches("b/scan.pdf", store.Review, time.Minute)
		if _, ok := tree(t, r.sorted)["_review/receipt/scan-2.pdf.json"]; !ok {
			t.Error("the second sidecar is missing")
		}
	}, func(c *Config) { c.MinConfidence = 0.7 })
}
