package pipeline

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"docusort/store"
)

// The suffixes of sidecars.
const (
	answerSuffix  = ".json"
	failureSuffix = ".error.json"
)

// sidecarOf returns the suffix of the document's sidecar; "" where it gets none.
func (p *Pipeline) sidecarOf(d *store.Document) string {
	switch {
	case d.Outcome == store.Failed:
		return failureSuffix
	case d.Outcome == store.Review || p.Sidecar:
		return answerSuffix
	}
	return ""
}

// sidecar is the JSON file beside a filed document. It depends only on the document's row,
// so that one that was written before a crash is recognised.
type sidecar struct {
	Version      int             `json:"version"`
	Source       string          `json:"source"`
	Reason       string          `json:"reason,omitempty"`
	Type         string          `json:"type,omitempty"`
	Confidence   *float64        `json:"confidence,omitempty"`
	Alternatives json.RawMessage `json:"alternatives,omitempty"`
	Reused       bool            `json:"reused,omitempty"`
	DecidedBy    store.Decider   `json:"decided_by,omitempty"`
	JobID        string          `json:"job_id,omitempty"`
	Attempts     int             `json:"attempts"`
	SHA256       string          `json:"sha256,omitempty"`
	Size         int64           `json:"size"`
	ContentType  string          `json:"content_type,omitempty"`
	DiscoveredAt time.Time       `json:"discovered_at,omitzero"`
	SubmittedAt  time.Time       `json:"submitted_at,omitzero"`
	IdentifiedAt time.Time       `json:"identified_at,omitzero"`
}

// sidecarText returns the content of the document's sidecar.
func sidecarText(d *store.Document) ([]byte, error) {
	s := sidecar{
		Version: 1, Source: nameText(d.Source), JobID: d.JobID, Attempts: d.Attempts,
		SHA256: hex.EncodeToString(d.SHA256), Size: d.Identity.Size, ContentType: d.ContentType,
		DiscoveredAt: d.DiscoveredAt.UTC(), SubmittedAt: d.SubmittedAt.UTC(),
	}
	if d.Outcome == store.Failed {
		s.Reason = d.Error
	} else {
		s.Type, s.Alternatives, s.Reused, s.DecidedBy = d.Type, d.Alternatives, d.Reused, d.DecidedBy()
		s.IdentifiedAt = d.IdentifiedAt.UTC()
		if d.Rated() {
			s.Confidence = &d.Confidence
		}
	}
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// looksEscaped matches what nameText writes for a byte.
var looksEscaped = regexp.MustCompile(`^\\x[0-9a-fA-F]{2}`)

// nameText escapes a name as the report does, because JSON is text: a byte that is not
// UTF-8 becomes \xNN, and so does a backslash that would look like such an escape.
func nameText(name string) string {
	var b strings.Builder
	for i, r := range name {
		if _, n := utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && n == 1 || looksEscaped.MatchString(name[i:]) {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// writeSidecar writes the sidecar of a document that was moved, where it gets one.
func (f *filer) writeSidecar(d *store.Document) error {
	suffix := f.p.sidecarOf(d)
	if suffix == "" {
		return nil
	}
	data, err := sidecarText(d)
	if err != nil {
		return err
	}
	err = f.p.Mover.WriteFile(d.Sorted, d.Target+suffix, data, 0o640)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w: %w", errSorted, err)
	}
	// It is most likely ours, written before the daemon was killed.
	if there, readErr := os.ReadFile(filepath.Join(d.Sorted, d.Target+suffix)); readErr == nil && bytes.Equal(there, data) {
		return nil
	}
	f.p.Logger.Warn("a file stands where the sidecar belongs; leaving it as it is",
		"doc", d.ID, "path", d.Target+suffix)
	return nil
}
