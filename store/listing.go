package store

import "context"

// List returns up to limit of the documents that the filter selects, after skip
// others, and how many there are in all. Unfinished ones come first, then those
// that were finished last; each group begins with its newest.
func (r *Reader) List(ctx context.Context, f Filter, skip, limit int) (docs []Document, total int, err error) {
	unfinishedOnes, args := f.and("d." + unfinished)
	total, err = r.listPart(ctx, f.State == "" || !f.State.Finished(), &docs, skip, limit, `WHERE `+unfinishedOnes, `d.id DESC`, args)
	if err != nil {
		return nil, 0, err
	}
	from := `INDEXED BY documents_finished WHERE `
	if f.State == Failed || f.State == Review { // few: they have an index of their own
		from = `INDEXED BY documents_` + string(f.State) + ` WHERE d.state = '` + string(f.State) + `' AND `
	}
	finishedOnes, args := f.and("d.finished_at >= ?", f.Since.UnixMilli())
	more, err := r.listPart(ctx, (f.State == "" || f.State.Finished()) && !f.Unfinished && !f.Stuck, &docs, max(0, skip-total), limit-len(docs),
		from+finishedOnes, `d.finished_at DESC`, args)
	return docs, total + more, err
}

// listPart adds documents to a list, and returns how many there are.
func (r *Reader) listPart(ctx context.Context, wanted bool, docs *[]Document, skip, limit int, from, order string, args []any) (n int, err error) {
	if !wanted {
		return 0, nil
	}
	if err := r.row(ctx, `SELECT count(*) FROM documents d `+from, args, &n); err != nil || limit == 0 || skip >= n {
		return n, err
	}
	more, err := r.documents(ctx, selectDocuments+` `+from+` ORDER BY `+order+` LIMIT ? OFFSET ?`, append(args, limit, skip)...)
	*docs = append(*docs, more...)
	return n, err
}
