package store

import "context"

// The record may be older than the files, because it was restored from a copy, and
// the folders may be others than they were, because they were moved or copied.

// Found is where the file of an unfinished document lies although the record does not
// say so.
type Found struct {
	Sorted, Target string
	Outcome        State
	Type           string // "" where Outcome is failed
	Identity       Identity
}

// HasPlace reports whether another document than id, of the same content, lies at a
// place or is on its way there.
func (s *Store) HasPlace(ctx context.Context, id int64, sha256 []byte, sorted, target string) (has bool, err error) {
	err = s.row(ctx, `SELECT EXISTS (SELECT 1 FROM documents d WHERE `+sameContent("d", "?1")+` AND d.id <> +?2
				AND d.state <> 'gone' AND d.target = +?4 AND d.sorted IN (SELECT id FROM folders WHERE path = +?3))
			OR EXISTS (SELECT 1 FROM decisions WHERE target = +?4 AND document <> +?2)`,
		[]any{sha256, id, sorted, target}, &has)
	return has, err
}

// Found ends an unfinished document, or one that is gone, where its file was found, and
// adds its event where a hook is set.
func (s *Store) Found(ctx context.Context, id int64, f Found) error {
	return s.write(ctx, func(t *tx) error {
		sorted, err := t.folder(Folder{Path: f.Sorted})
		if err != nil {
			return err
		}
		var kind, reason any
		if f.Outcome == Failed {
			reason = "failed before the record was restored; its .error.json says why"
		} else if kind, err = t.typeNumber(f.Type); err != nil {
			return err
		}
		is := f.Identity
		err = t.change(`UPDATE documents SET state = ?2, outcome = ?2, sorted = ?3, target = ?4,
				confidence = iif(type = ?5, confidence, NULL), type = ?5, identified_at = coalesce(identified_at, iif(?5 IS NULL, NULL, ?7)),
				error = ?6, finished_at = ?7, retry_at = NULL, failures = 0, equal = 0, put_back = NULL,
				device = ?8, inode = ?9, modified = ?10, changed = ?11
			WHERE id = +?1 AND (finished_at IS NULL OR state = 'gone')`, id, string(f.Outcome), sorted, f.Target, kind, reason, t.now,
			int64(is.Device), int64(is.Inode), is.ModTime, is.ChangeTime)
		if err == nil {
			err = t.releaseEqual(id)
		}
		if err != nil {
			return err
		}
		return t.addEvents("state, finished_at", id)
	})
}

// Relocate records that the inbox of an unfinished document is another folder from now
// on, and ends its pause.
func (s *Store) Relocate(ctx context.Context, id int64, to Folder) error {
	return s.write(ctx, func(t *tx) error {
		inbox, err := t.folder(to)
		if err != nil {
			return err
		}
		return t.change(`UPDATE documents SET inbox = ?2, retry_at = NULL, error = iif(sha256 IS NULL OR outcome = 'failed', error, NULL),
				device = iif(device = (SELECT device FROM folders WHERE id = documents.inbox), ?3, device)
			WHERE id = +?1 AND finished_at IS NULL`, id, inbox, int64(to.Device))
	})
}

// AllUnfinished returns up to limit unfinished documents with an id above after, in the
// order of their ids.
func (s *Store) AllUnfinished(ctx context.Context, after int64, limit int) ([]Document, error) {
	return s.documents(ctx, selectDocuments+` WHERE d.id IN (`+inPhases(allPhases...)+`) ORDER BY d.id`, after, limit)
}

var allPhases = append([]Phase{PhaseSubmit, PhasePoll, PhaseFile}, waitingPhases...)

// Elsewhere returns up to limit documents with an id above after that lie, or are about to
// lie, beneath another sorted folder than this one, in the order of their ids.
func (s *Store) Elsewhere(ctx context.Context, sorted string, after int64, limit int) ([]Document, error) {
	return s.documents(ctx, selectDocuments+` WHERE d.id > +?1 AND d.sorted IN (SELECT id FROM folders WHERE path <> +?2)
		ORDER BY d.id LIMIT +?3`, after, sorted, limit)
}

// RelocateSorted records that documents have their places, those of the decisions about
// them too, beneath another sorted folder from now on, and returns how many of them. Those
// that changed since they were read are left out, and so is one whose place there another
// document is about to have.
func (s *Store) RelocateSorted(ctx context.Context, docs []Document, to Folder) (n int64, err error) {
	err = s.write(ctx, func(t *tx) error {
		n = 0
		root, err := t.folder(to)
		if err != nil {
			return err
		}
		plain, err := t.folder(Folder{Path: to.Path}) // of what is not followed
		for i := 0; i < len(docs) && err == nil; i++ {
			var one int64
			if one, err = t.relocateSorted(&docs[i], root, plain); isTaken(err) {
				err = nil
			}
			n += one
		}
		return err
	})
	return n, err
}

func (t *tx) relocateSorted(d *Document, root, plain int64) (n int64, err error) {
	n, err = t.exec(`UPDATE documents SET sorted = iif(outcome = 'filed', ?3, ?2)
		WHERE id = +?1 AND sorted IN (SELECT id FROM folders WHERE path = +?4) AND target IS ?5 AND stays_at IS ?6`,
		d.ID, root, plain, d.Sorted, text(d.Target), text(d.StaysAt))
	if err != nil || n == 0 {
		return 0, err
	}
	return n, t.do(`UPDATE decisions SET sorted = ?2 WHERE document = ?1 AND sorted IN (SELECT id FROM folders WHERE path = +?3)`,
		d.ID, plain, d.Sorted)
}
