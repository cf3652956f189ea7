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
	JobID        string          `json:"job_id,omitempty"`
	Attempts     int             `json:"attempts"`
	SHA256       string          `json:"sha256,omitempty"`
	Size         int64           `json:"size"`
	ContentType  string          `json:"content_type,omitempty"`
	DiscoveredAt *time.Time      `json:"discovered_at,omitempty"`
	SubmittedAt  *time.Time      `json:"submitted_at,omitempty"`
	IdentifiedAt *time.Time      `json:"identified_at,omitempty"`
}

func newSidecar(d *store.Document) sidecar {
	s := sidecar{
		Version: 1, Source: nameText(d.Source), JobID: d.JobID, Attempts: d.Attempts,
		SHA256: hex.EncodeToString(d.SHA256), Size: d.Identity.Size, ContentType: d.ContentType,
		DiscoveredAt: utcOrNil(d.DiscoveredAt), SubmittedAt: utcOrNil(d.SubmittedAt),
	}
	if d.Outcome == store.Failed {
		s.Reason = d.Error
		return s
	}
	s.Type, s.Confidence, s.Alternatives, s.Reused = d.Type, &d.Confidence, d.Alternatives, d.Reused
	s.IdentifiedAt = utcOrNil(d.IdentifiedAt)
	return s
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

func utcOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// text returns the content of the file.
func (s sidecar) text() ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// writeSidecar writes the sidecar of a document that was moved, where it gets one.
func (f *filer) writeSidecar(d *store.Document) error {
	suffix := f.p.sidecarOf(d)
	if suffix == "" {
		return nil
	}
	data, err := newSidecar(d).text()
	if err != nil {
		return err
	}
	err = f.p.Mover.WriteFile(d.Sorted, d.Target+suffix, data, 0o640)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", errSorted, err)
	}
	if err == nil {
		return nil
	}
	// It is most likely ours, written before the daemon was killed.
	if there, readErr := os.ReadFile(filepath.Join(d.Sorted, d.Target+suffix)); readErr == nil && bytes.Equal(there, data) {
		return nil
	}
	f.p.Logger.Warn("a file stands where the sidecar belongs; leaving it as it is",
		"doc", d.ID, "path", d.Target+suffix)
	return nil
}
