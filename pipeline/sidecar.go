package pipeline

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"docusort/pipeline/filing"
	"docusort/store"
)

// The suffixes of sidecars.
const (
	answerSuffix  = ".json"
	failureSuffix = ".error.json"
)

// sidecars writes the sidecars of documents.
type sidecars struct {
	mover *filing.Mover
	all   bool // filed documents have one, too
	log   *slog.Logger
}

func (p *Pipeline) sidecars() sidecars { return sidecars{p.Mover, p.Sidecar, p.Logger} }

// suffix returns the suffix of the document's sidecar; "" where it gets none.
func (s sidecars) suffix(d *store.Document) string {
	switch {
	case d.Outcome == store.Failed:
		return failureSuffix
	case d.Outcome == store.Review || s.all:
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

// write writes the sidecar of a document that lies at its place, where it gets one.
func (s sidecars) write(d *store.Document) error {
	suffix := s.suffix(d)
	if suffix == "" {
		return nil
	}
	data, err := sidecarText(d)
	if err != nil {
		return err
	}
	err = s.mover.WriteFile(d.Sorted, d.Target+suffix, data, 0o640)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	// It is most likely ours, written before the daemon was killed.
	if there, readErr := os.ReadFile(filepath.Join(d.Sorted, d.Target+suffix)); readErr == nil && bytes.Equal(there, data) {
		return nil
	}
	s.log.Warn("a file stands where the sidecar belongs; leaving it as it is",
		"doc", d.ID, "path", d.Target+suffix)
	return nil
}

// removeSidecar removes the sidecar beside a document, if it is exactly what was written
// for it; anything else stays.
func removeSidecar(d *store.Document) error {
	text, err := sidecarText(d)
	if err != nil {
		return err
	}
	name := d.Target + answerSuffix
	if d.Outcome == store.Failed {
		name = d.Target + failureSuffix
	}
	f, _, err := filing.Open(d.Sorted, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, filing.ErrNotRegular) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	there, err := io.ReadAll(io.LimitReader(f, int64(len(text))+1))
	if err != nil || !bytes.Equal(there, text) {
		return err
	}
	return removeBeside(d, name)
}

// removeBeside removes a sidecar of a document.
func removeBeside(d *store.Document, name string) error {
	root, err := os.OpenRoot(d.Sorted)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %q: %w", filepath.Join(d.Sorted, name), err)
	}
	return nil
}
