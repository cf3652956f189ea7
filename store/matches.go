package store

// What an admission has to do with documents of identical content. For most there
// are none.

// failedMatches reports whether a document of a content failed.
func (t *tx) failedMatches(sha256 []byte) (bool, error) {
	var is bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM documents d INDEXED BY documents_content
		WHERE `+sameContent("d", "?1")+` AND state = 'failed')`,
		[]any{sha256}, &is)
	return is, err
}

// refuseMoved refuses a file that was moved to its place after it was opened, by
// somebody who had it before.
func (t *tx) refuseMoved(a Admission, alike bool) error {
	if a.ExaminedAt.IsZero() || a.SHA256 != nil && !alike {
		return nil
	}
	by := `INDEXED BY documents_finished WHERE ?7 IS NULL`
	if a.SHA256 != nil {
		by = `d INDEXED BY documents_content WHERE ` + sameContent("d", "?7")
	}
	var moved bool
	err := t.row(`SELECT EXISTS (SELECT 1 FROM documents `+by+` AND finished_at >= +?1
			AND state <> 'gone' AND source = +?2 AND device = +?3 AND inode = +?4 AND size = +?5 AND modified = +?6)`,
		[]any{a.ExaminedAt.UnixMilli(), a.Source, int64(a.Identity.Device), int64(a.Identity.Inode),
			a.Identity.Size, a.Identity.ModTime, a.SHA256}, &moved)
	if err == nil && moved {
		err = ErrMoving
	}
	return err
}

// match gives a document the answer that its content got before.
func (t *tx) match(doc, options int64, a Admission) error {
	_, err := t.reuse(candidate{id: doc, options: options, sha256: a.SHA256,
		request: SubmitRequest{ReuseWithin: a.ReuseWithin, Outcome: a.Outcome}})
	return err
}
