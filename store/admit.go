package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Admission is what was found in the inbox.
type Admission struct {
	Inbox       Folder
	Source      string // relative to the inbox
	Identity    Identity
	SHA256      []byte // nil where Blocked, or where Failure makes it unimportant
	ContentType string
	// ExaminedAt is when the file was opened: it may have been moved since. Zero:
	// it was not.
	ExaminedAt time.Time

	// Blocked says why the file cannot be taken yet: it cannot be read or moved.
	Blocked string
	// Failure says why it will never be identified, such as its format.
	Failure string

	// Continues are failed documents of the same content whose files are not where
	// they were put: the file may be one of them. The first that is still failed
	// goes on.
	Continues []int64

	// Options are the type codes that the service would be asked to choose from.
	Options []string
	// ReuseWithin is how old an answer to identical content may be; 0: ask anew.
	ReuseWithin time.Duration
	// Outcome decides from the confidence of a reused answer: filed or review.
	// It is called by the goroutine that writes; nil: always filed.
	Outcome func(confidence float64) State
}

// Admitted says what became of an admission.
type Admitted struct {
	Document
	// New says that there is a new record; otherwise the file was known.
	New bool
	// Continued says that the record is one that had failed.
	Continued bool
	// Replaced is the record that ended as gone because its content changed, or 0.
	Replaced int64
}

// Admit records a file of the inbox. A file that is known already, by place and
// content, keeps its record; other content at the place of an unfinished record
// ends that one as gone. Content that was identified before gets that answer,
// and content that is in flight waits for it. A failed document that is back in
// the inbox keeps its record as well. It fails with [ErrMoving] while
// an earlier file of the place is being moved away, and where the file itself was
// moved meanwhile: try again later.
func (s *Store) Admit(ctx context.Context, a Admission) (Admitted, error) {
	var out Admitted
	err := s.write(ctx, func(t *tx) error {
		out = Admitted{}
		inbox, err := t.folder(a.Inbox)
		if err != nil {
			return err
		}
		known, err := t.unfinishedAt(a.Source)
		if err != nil {
			return err
		}
		if known == nil {
			if err := t.refuseMoved(a); err != nil {
				return err
			}
		}
		switch {
		case known == nil:
		case known.Target != "":
			return ErrMoving
		case a.Blocked != "" && known.SHA256 != nil && sameContent(known.Identity, a.Identity):
			// Only its permissions changed, which is no reason to give up its
			// job. Its identity stays as it was, so that it is looked at again.
			if known.PutBack != "" {
				if err := t.decide(known.ID, a); err != nil {
					return err
				}
			}
			return t.document(known.ID, &out.Document)
		case known.PutBack == "" && known.Blocked() && len(a.Continues) > 0:
			if err := t.end(known.ID, "can be read by now, and is one that failed before"); err != nil {
				return err
			}
			out.Replaced = known.ID
		case known.SHA256 == nil && known.Outcome == "", bytes.Equal(known.SHA256, a.SHA256):
			// A record without a hash never got further than its name.
			if err := t.refresh(known, inbox, a); err != nil {
				return err
			}
			return t.document(known.ID, &out.Document)
		default:
			if err := t.end(known.ID, "changed in the inbox before it was filed"); err != nil {
				return err
			}
			out.Replaced = known.ID
		}
		id, err := t.goOn(inbox, a)
		if out.Continued = id != 0; err == nil && id == 0 {
			id, err = t.insert(inbox, a)
			out.New = true
		}
		if err != nil {
			return err
		}
		return t.document(id, &out.Document)
	})
	return out, err
}

// unfinishedAt returns the unfinished record of a place, or nil.
func (t *tx) unfinishedAt(source string) (*Document, error) {
	d := new(Document)
	st, err := t.prepared(selectDocuments + " WHERE source = ? AND " + unfinished)
	if err != nil {
		return nil, err
	}
	err = d.scan(st.QueryRowContext(context.Background(), source))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return d, err
}

// refuseMoved refuses a file that was moved to its place after it was opened, by
// somebody who had it before.
func (t *tx) refuseMoved(a Admission) error {
	if a.ExaminedAt.IsZero() {
		return nil
	}
	var moved bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM documents INDEXED BY documents_finished
		WHERE finished_at >= ? AND state <> 'gone' AND source = ? AND device = ? AND inode = ? AND size = ? AND modified = ?)`,
		[]any{a.ExaminedAt.UnixMilli(), a.Source, int64(a.Identity.Device), int64(a.Identity.Inode), a.Identity.Size, a.Identity.ModTime}, &moved)
	if err == nil && moved {
		err = ErrMoving
	}
	return err
}

// sameContent says whether a file that cannot be read is, by all that can be
// seen of it, what it was.
func sameContent(was, is Identity) bool {
	was.ChangeTime = is.ChangeTime
	return was == is
}

// refresh stores how a known file looks by now: its mode or name may have been
// touched, or it may have become readable.
func (t *tx) refresh(known *Document, inbox int64, a Admission) error {
	id := a.Identity
	_, err := t.exec(`UPDATE documents SET inbox = ?, device = ?, inode = ?, size = ?, modified = ?, changed = ? WHERE id = ?`,
		inbox, int64(id.Device), int64(id.Inode), id.Size, id.ModTime, id.ChangeTime, known.ID)
	if err != nil || !known.Blocked() && known.PutBack == "" {
		return err
	}
	return t.decide(known.ID, a)
}

func (t *tx) insert(inbox int64, a Admission) (int64, error) {
	id := a.Identity
	var doc int64
	err := t.row(`INSERT INTO documents (inbox, source, state, device, inode, size, modified, changed, discovered_at)
		VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?) RETURNING id`,
		[]any{inbox, a.Source, int64(id.Device), int64(id.Inode), id.Size, id.ModTime, id.ChangeTime, t.now}, &doc)
	if err != nil {
		return 0, fmt.Errorf("insert: %w", err)
	}
	return doc, t.decide(doc, a)
}

// decide stores what is known of the content, and what follows from it.
func (t *tx) decide(doc int64, a Admission) error {
	if a.Blocked != "" {
		_, err := t.exec(`UPDATE documents SET error = ? WHERE id = ?`, a.Blocked, doc)
		return err
	}
	if a.Failure != "" {
		_, err := t.exec(`UPDATE documents SET sha256 = ?, content_type = ?, outcome = 'failed', error = ?, put_back = NULL WHERE id = ?`,
			a.SHA256, text(a.ContentType), a.Failure, doc)
		return err
	}
	options, err := t.optionSet(a.Options)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE documents SET sha256 = ?1, content_type = ?2, options = ?3, error = NULL, put_back = NULL,
			job_open = (job_open = 1 AND options IS ?3)
		WHERE id = ?4`, a.SHA256, text(a.ContentType), options, doc)
	if err != nil || a.ReuseWithin <= 0 {
		return err
	}
	if done, err := t.reuse(doc, options, a); done || err != nil {
		return err
	}
	return t.follow(doc, options, a.SHA256)
}

// reuse gives a document the newest answer that the service itself gave to the
// same bytes and the same options, if it is young enough.
func (t *tx) reuse(doc, options int64, a Admission) (bool, error) {
	var from int64
	var confidence float64
	err := t.row(`SELECT id, coalesce(confidence, 0) FROM documents
		WHERE sha256 = ? AND options = ? AND type IS NOT NULL AND reused = 0 AND identified_at >= ? AND id <> ?
		ORDER BY identified_at DESC LIMIT 1`,
		[]any{a.SHA256, options, t.now - a.ReuseWithin.Milliseconds(), doc}, &from, &confidence)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	outcome := Filed
	if a.Outcome != nil {
		outcome = a.Outcome(confidence)
	}
	return true, t.copyAnswer(doc, from, outcome)
}

// copyAnswer files a document by the answer that another one got.
func (t *tx) copyAnswer(doc, from int64, outcome State) error {
	_, err := t.exec(`UPDATE documents SET (type, confidence, alternatives) =
			(SELECT type, confidence, alternatives FROM documents WHERE id = ?2),
			state = 'identified', outcome = ?3, reused = 1, identified_at = ?4,
			waits_for = NULL, retry_at = NULL, error = NULL
		WHERE id = ?1`, doc, from, string(outcome), t.now)
	return err
}

// follow lets a document wait for one with the same bytes and options that is
// on its way through the service.
func (t *tx) follow(doc, options int64, sha256 []byte) error {
	_, err := t.exec(`UPDATE documents SET waits_for =
			(SELECT id FROM documents
			  WHERE sha256 = ?2 AND options = ?3 AND id <> ?1 AND waits_for IS NULL AND outcome IS NULL AND put_back IS NULL
			    AND (state = 'waiting' OR state = 'submitting' OR state = 'pending')
			  ORDER BY id LIMIT 1)
		WHERE id = ?1`, doc, sha256, options)
	return err
}

// folder returns the number of a folder, which it gets when it is first seen.
func (t *tx) folder(f Folder) (int64, error) {
	key := []any{f.Path, int64(f.Device), int64(f.Inode)}
	var id int64
	err := t.row(`SELECT id FROM folders WHERE path = ? AND device = ? AND inode = ?`, key, &id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.row(`INSERT INTO folders (path, device, inode) VALUES (?, ?, ?) RETURNING id`, key, &id)
	}
	return id, err
}

// optionSet returns the number of a set of type codes.
func (t *tx) optionSet(options []string) (int64, error) {
	codes, err := optionCodes(options)
	if err != nil {
		return 0, err
	}
	var id int64
	err = t.row(`SELECT id FROM option_sets WHERE codes = ?`, []any{codes}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.row(`INSERT INTO option_sets (codes) VALUES (?) RETURNING id`, []any{codes}, &id)
	}
	return id, err
}

// optionCodes is how a set of type codes is stored, in whatever order and however often
// they are given.
func optionCodes(options []string) (string, error) {
	b, err := json.Marshal(slices.Compact(slices.Sorted(slices.Values(options))))
	return string(b), err
}

// text stores an empty string as NULL.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
