package store

import "context"

// Documents in review and failed ones are put aside for persons, who may move their files
// by hand. The daemon follows them.

// Aside is where a document was put aside.
type Aside struct {
	ID            int64
	Root          Folder // sorted, as it was then
	Target        string // relative to it
	Device, Inode uint64 // of its file, as it was admitted
}

// Aside calls f for every document that was put aside beneath a folder, until f returns an
// error: not for those that a command is putting back, or about which a decision is
// carried out.
func (s *Store) Aside(ctx context.Context, sorted string, f func(Aside) error) error {
	const part = `SELECT d.id, f.path, f.device, f.inode, d.target, d.device, d.inode FROM documents d JOIN folders f ON f.id = d.sorted
		WHERE (d.put_back IS NULL OR NOT +?2) AND d.id NOT IN (SELECT document FROM decisions) AND f.path = +?1 AND d.state = `
	return s.each(ctx, func(row scanner) error {
		var a Aside
		if err := row.Scan(fields(&a.ID, &a.Root.Path, &a.Root.Device, &a.Root.Inode, &a.Target, &a.Device, &a.Inode)...); err != nil {
			return err
		}
		return f(a)
	}, part+`'review' UNION ALL `+part+`'failed'`, sorted, s.SharedNow())
}

// AsideIn records that documents which were put aside lie in this folder, at the places
// that they had in another one.
func (s *Store) AsideIn(ctx context.Context, ids []int64, sorted Folder) error {
	return s.write(ctx, func(t *tx) error {
		root, err := t.folder(sorted)
		for _, id := range ids {
			if err == nil {
				err = t.do(`UPDATE documents SET sorted = ?2 WHERE id = ?1 AND `+aside, id, root)
			}
		}
		return err
	})
}

const aside = `(state = 'review' OR state = 'failed')`

// AsideMoved records that the file of a document that was put aside lies at another place,
// where nobody decided about it. [ErrStale]: it is no longer at the place that it had.
func (s *Store) AsideMoved(ctx context.Context, id int64, from, to string) error {
	return s.change(ctx, `UPDATE documents SET target = ?3 WHERE id = ?1 AND target = +?2 AND `+aside, id, from, to)
}

// AsideGone ends a document that was put aside and that somebody took out of sorted. seen
// says what else was found out. [ErrStale]: it is no longer at the place that it had.
func (s *Store) AsideGone(ctx context.Context, id int64, from, seen string) error {
	return s.change(ctx, `UPDATE documents SET state = 'gone', outcome = NULL, sorted = NULL, target = NULL, put_back = NULL,
			error = 'taken out of _' || state || ' by hand' || ?3
		WHERE id = ?1 AND target = +?2 AND `+aside, id, from, seen)
}
