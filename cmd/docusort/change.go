package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline"
	"docusort/pipeline/filing"
	"docusort/store"
)

// changeRecord opens the database beside a daemon that may run, finishes the decisions of
// commands that were killed, and calls change.
func (p program) changeRecord(ctx context.Context, load loader, change func(*settings.Settings, pipeline.Refiler) error) error {
	return p.openRecord(ctx, load, func(s *settings.Settings, r pipeline.Refiler) error {
		left, err := r.Store.Decisions(ctx)
		if err != nil {
			return err
		}
		if err := r.Finish(ctx, left); err != nil {
			r.Logger.Warn("an earlier decision cannot be carried out yet", "err", err)
		}
		return change(s, r)
	})
}

// openRecord opens the database beside a daemon that may run, and calls change.
func (p program) openRecord(ctx context.Context, load loader, change func(*settings.Settings, pipeline.Refiler) error) error {
	s, err := load(0)
	if err != nil {
		return err
	}
	if err := p.becomeOwner(s.Database); err != nil {
		return err
	}
	record, err := store.OpenShared(ctx, store.Config{Path: s.Database})
	if err != nil {
		return hintAtConfig(s, err)
	}
	folders, _ := filing.ParseFolders(s.Folders) // checked with the settings
	log := p.logger(p.stderr, s)
	return errors.Join(change(s, pipeline.Refiler{
		Store: record, Mover: filing.NewMover(filing.Options{Logger: log, Fault: p.hooks.file}),
		Inbox: s.Inbox, Sorted: s.Sorted, Folders: folders, Sidecar: s.Sidecar, Logger: log, OnStep: p.hooks.step,
	}), record.Close())
}

// eachDocument says what became of each document. An error of one does not keep it from the
// others. With all, whoever was quicker with a document has made no error.
func (p program) eachDocument(ctx context.Context, s *settings.Settings, record *store.Store, ids []int64, all bool,
	do func(context.Context, store.Document) (string, error)) error {
	var errs []error
	for _, id := range ids {
		if ctx.Err() != nil {
			return errors.Join(append(errs, errors.New("stopped; what is left was not touched"))...)
		}
		doc, err := record.Document(ctx, id)
		outcome := ""
		if err == nil {
			outcome, err = do(ctx, doc)
		}
		hint := hintAtRelocate(s, &doc)
		switch missing := errors.Is(err, sql.ErrNoRows); {
		case errors.Is(err, pipeline.ErrMoved):
			outcome, err = "skipped, it is no longer at "+display.Printable(filepath.Join(doc.Sorted, doc.Target))+hint, nil
		case errors.Is(err, filing.ErrNoRoot):
			err = fmt.Errorf("%w%s", err, hint)
		case errors.Is(err, store.ErrStale), missing && all:
			outcome, err = "skipped, it changed meanwhile", nil
		case missing:
			err = errors.New("there is no such document")
		}
		if err == nil {
			_, err = fmt.Fprintf(p.stdout, "%d: %s\n", id, outcome)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("document %d: %w", id, hintAtUser(err)))
		}
	}
	return errors.Join(errs...)
}

// hintAtRelocate says what to do about a file that is missing in another sorted folder than
// that of the settings; "": the document was in that one.
func hintAtRelocate(s *settings.Settings, doc *store.Document) string {
	if doc.Sorted == "" || doc.Sorted == s.Sorted {
		return ""
	}
	return fmt.Sprintf("; if that sorted folder was moved to %s, run '%s'", display.Printable(s.Sorted), s.Command("relocate"))
}

// hintAtUser adds to a refused permission who has it.
func hintAtUser(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; run this as the user that docusort runs as, or as root", err)
	}
	return err
}
