package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	// it was not opened.
	ExaminedAt time.Time

	// Blocked says why the file cannot be taken yet: it cannot be read or moved.
	Blocked string
	// Failure says why it will never be identified, such as its format.
	Failure string

	// AsideMatches are documents in review and failed, of the same content, whose files
	// are not where they were put, from [Store.AsideMatches]: the file may be one of them.
	// The first that is still put aside goes on.
	AsideMatches []int64

	SubmitRequest // that would be made for it
}

// Admitted says what became of an admission.
type Admitted struct {
	Document
	// New reports that there is a new document; otherwise the file was known.
	New bool
	// Continued reports that the document is one that had failed, or was in review.
	Continued bool
	// Replaced is the document that ended as gone because its content changed, or 0.
	Replaced int64
}

// Admit stores a file of the inbox. A file that is known already, by place and
// content, keeps its document; other content at the place of an unfinished
// document ends that one as gone. Content that was identified before gets that
// answer. A document that had failed, or was in review, and is back in the inbox
// goes on: a known answer to the same question is used again. Admit fails with [ErrMoving] while an earlier file of the place is being moved away,
// and where the file itself was moved meanwhile: try again later.
func (s *Store) Admit(ctx context.Context, a Admission) (Admitted, error) {
	var out Admitted
	err := s.write(ctx, func(t *tx) error {
		out = Admitted{}
		return t.admit(a, &out)
	})
	return out, err
}

func (t *tx) admit(a Admission, out *Admitted) error {
	inbox, err := t.folder(a.Inbox)
	if err != nil {
		return err
	}
	known, err := t.look(a)
	if err != nil {
		return err
	}
	if known != nil {
		keep, err := t.keep(known, inbox, a)
		if err != nil || keep {
			return errors.Join(err, t.document(known.ID, &out.Document))
		}
		out.Replaced = known.ID
	}
	id, err := t.resumeAside(inbox, a)
	if out.Continued = id != 0; err == nil && id == 0 {
		out.New = true
		id, err = t.insert(inbox, a)
	}
	if err != nil {
		return err
	}
	return t.document(id, &out.Document)
}

// look returns the unfinished document at the place of a file, or nil, or why the file
// cannot be admitted now.
func (t *tx) look(a Admission) (*Document, error) {
	var id int64
	err := t.row(`SELECT id FROM documents WHERE source = +? AND `+inInbox, []any{a.Source}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, t.refuseMoved(a)
	}
	var known Document
	if err == nil {
		err = t.document(id, &known)
	}
	if err == nil && known.Target != "" {
		err = ErrMoving
	}
	return &known, err
}

// refuseMoved refuses a file that was moved to sorted/ after it was opened here:
// another worker had it before.
func (t *tx) refuseMoved(a Admission) error {
	if a.ExaminedAt.IsZero() {
		return nil
	}
	var moved bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM documents INDEXED BY documents_finished WHERE finished_at >= +?1
			AND state <> 'gone' AND source = +?2 AND device = +?3 AND inode = +?4 AND size = +?5 AND modified = +?6)`,
		[]any{a.ExaminedAt.UnixMilli(), a.Source, int64(a.Identity.Device), int64(a.Identity.Inode),
			a.Identity.Size, a.Identity.ModTime}, &moved)
	if err == nil && moved {
		err = ErrMoving
	}
	return err
}

// keep reports whether the unfinished document of a place is the file that lies
// there now, and stores how that looks; otherwise it ends the document.
func (t *tx) keep(known *Document, inbox int64, a Admission) (bool, error) {
	was, is := known.Identity, a.Identity
	was.ChangeTime = is.ChangeTime
	switch {
	case a.Blocked != "" && known.SHA256 != nil && was == is:
		// Only its permissions changed, which is no reason to give up its job. Its
		// identity stays as it was, so that the file is looked at again.
		if known.PutBack == "" {
			return true, nil
		}
		return true, t.decide(known.ID, a)
	case known.PutBack == "" && known.Blocked() && len(a.AsideMatches) > 0:
		return false, t.end(known.ID, "can be read by now, and is one that was put aside before")
	case known.SHA256 == nil && known.Outcome == "", bytes.Equal(known.SHA256, a.SHA256):
		return true, t.refresh(known, inbox, a) // without a hash only its name was known
	}
	return false, t.end(known.ID, "changed in the inbox before it was filed")
}

// refresh stores how a known file looks by now: its mode or name may have been
// touched, or it may have become readable.
func (t *tx) refresh(known *Document, inbox int64, a Admission) error {
	id := a.Identity
	err := t.do(`UPDATE documents SET inbox = ?, device = ?, inode = ?, size = ?, modified = ?, changed = ? WHERE id = ?`,
		inbox, int64(id.Device), int64(id.Inode), id.Size, id.ModTime, id.ChangeTime, known.ID)
	if err != nil || !known.Blocked() && known.PutBack == "" {
		return err
	}
	return t.decide(known.ID, a)
}

func (t *tx) insert(inbox int64, a Admission) (id int64, err error) {
	is := a.Identity
	row, err := t.run(`INSERT INTO documents (inbox, source, state, device, inode, size, modified, changed, sha256, discovered_at)
		VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?)`,
		inbox, a.Source, int64(is.Device), int64(is.Inode), is.Size, is.ModTime, is.ChangeTime, a.SHA256, t.now)
	if err == nil {
		id, err = row.LastInsertId()
	}
	if err != nil {
		return 0, fmt.Errorf("insert: %w", err)
	}
	return id, t.decide(id, a)
}

// decide stores what is known of the content, and what follows from it: a person's
// decision or, where it can be submitted, the service's answer. An answer that the document
// has already is forgotten where it is to another question, or too old to be used again.
func (t *tx) decide(doc int64, a Admission) error {
	const stands = `options IS ?3 AND identified_at >= ?7`
	if a.Blocked != "" {
		return t.do(`UPDATE documents SET error = ?2, `+troubled("?3")+` WHERE id = ?1`, doc, a.Blocked, t.now)
	}
	c := candidate{SubmitRequest: a.SubmitRequest, id: doc, sha256: a.SHA256}
	var options, outcome any
	if a.Failure != "" {
		outcome = string(Failed)
	} else {
		var err error
		if c.options, err = t.optionSet(a.Options); err != nil {
			return err
		}
		options = c.options
	}
	err := t.do(`UPDATE documents SET sha256 = ?1, content_type = ?2, options = coalesce(?3, options), outcome = ?4, error = ?5,
			job_abandoned = iif(options IS coalesce(?3, options), job_abandoned, 0),
			put_back = NULL, trouble_since = NULL, stuck = 0,
			type = iif(`+stands+`, type, NULL), confidence = iif(`+stands+`, confidence, NULL),
			alternatives = iif(`+stands+`, alternatives, NULL), identified_at = iif(`+stands+`, identified_at, NULL)
		WHERE id = ?6`, a.SHA256, text(a.ContentType), options, outcome, text(a.Failure), doc, t.now-a.ReuseWithin.Milliseconds())
	if err != nil || a.SHA256 == nil {
		return err
	}
	followed, err := t.followDecision(c)
	if err == nil && !followed && a.Failure == "" && a.ReuseWithin > 0 {
		_, err = t.reuse(c)
	}
	return err
}
