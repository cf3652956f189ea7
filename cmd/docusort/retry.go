package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/pipeline"
	"docusort/pipeline/filing"
	"docusort/store"

	"github.com/spf13/cobra"
)

func (p program) retryCommand(load loader) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "retry [ID…]",
		Short: "put failed documents back into the inbox",
		Long: "retry puts failed documents back into the inbox, at their old places, to be tried\n" +
			"again under the same record, whether the daemon runs or not. The report's --documents\n" +
			"shows their IDs. Moving a document out of _failed into the inbox by hand does the same.",
		Example: "  docusort retry 17 42\n  docusort retry --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := documentIDs(args, all)
			if err != nil {
				return err
			}
			s, err := load(0)
			if err != nil {
				return err
			}
			record, err := store.OpenShared(cmd.Context(), store.Config{Path: s.Database})
			if err != nil {
				if s.ConfigSkipped != nil {
					err = fmt.Errorf("%w\nThe settings may name another one: %w", err, s.ConfigSkipped)
				}
				return err
			}
			r := retrier{program: p, store: record, all: all, Returner: pipeline.Returner{
				Store: record, Inbox: s.Inbox, OnStep: p.seams.onStep,
				Mover: filing.NewMover(filing.Options{Fault: p.seams.fault}),
			}}
			if all {
				ids, err = failedIDs(cmd.Context(), s.Database)
			}
			if err == nil {
				err = r.retry(cmd.Context(), ids)
			}
			return errors.Join(err, record.Close())
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			s, err := load(0)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeFailed(cmd.Context(), s.Database, args), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "retry every failed document")
	return cmd
}

// documentIDs reads the arguments of retry.
func documentIDs(args []string, all bool) (ids []int64, err error) {
	switch {
	case all && len(args) > 0:
		return nil, usageError{errors.New("retry takes IDs or --all, not both")}
	case !all && len(args) == 0:
		return nil, usageError{errors.New("retry what? Give the IDs that 'docusort report --documents --state failed' shows, or --all")}
	}
	var bad []string
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id < 1 {
			bad = append(bad, strconv.Quote(arg))
		} else if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(bad) > 0 {
		return nil, usageError{fmt.Errorf("%s: an ID is a number that 'docusort report --documents' shows", strings.Join(bad, ", "))}
	}
	return ids, nil
}

// retrier puts documents back, one after the other.
type retrier struct {
	pipeline.Returner
	program
	store *store.Store
	all   bool // the documents are those that had failed a moment ago
}

// retry tells what became of each document. Trouble with one does not keep the
// others.
func (r retrier) retry(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		fmt.Fprintln(r.stdout, "nothing has failed")
	}
	var errs []error
	for _, id := range ids {
		if ctx.Err() != nil {
			return errors.Join(append(errs, errors.New("stopped; what is left was not touched"))...)
		}
		if err := r.one(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("document %d: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (r retrier) one(ctx context.Context, id int64) error {
	doc, err := r.store.Document(ctx, id)
	switch {
	case r.all && (errors.Is(err, sql.ErrNoRows) || err == nil && doc.State != store.Failed):
		return r.goesOn(id)
	case errors.Is(err, sql.ErrNoRows):
		return errors.New("there is no such document")
	case err != nil:
		return err
	case doc.State != store.Failed:
		return fmt.Errorf("%s has not failed, it is %s", display.Printable(doc.Source), doc.State)
	}
	lay := filepath.Join(doc.Sorted, doc.Target)
	place, changed, err := r.PutBack(ctx, doc)
	switch {
	case errors.Is(err, pipeline.ErrAway):
		_, err = fmt.Fprintf(r.stdout, "%d: skipped, it is no longer at %s\n", id, display.Printable(lay))
		return err
	case errors.Is(err, store.ErrStale):
		return r.goesOn(id)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; run this as the user that docusort runs as, or as root", err)
	case err != nil:
		return err
	}
	note := ""
	if changed {
		note = ", as a new document: it was changed since it failed"
	}
	_, err = fmt.Fprintf(r.stdout, "%d: back in the inbox as %s%s\n", id, display.Printable(place), note)
	return err
}

// goesOn tells that the daemon was quicker.
func (r retrier) goesOn(id int64) error {
	_, err := fmt.Fprintf(r.stdout, "%d: skipped, it is no longer failed\n", id)
	return err
}

// failedIDs returns every failed document, oldest first.
func failedIDs(ctx context.Context, database string) (ids []int64, err error) {
	err = eachFailed(ctx, database, func(d *store.Document) error {
		ids = append(ids, d.ID)
		return nil
	})
	return ids, err
}

func eachFailed(ctx context.Context, database string, f func(*store.Document) error) error {
	reader, err := store.OpenReader(ctx, database)
	if err != nil {
		return err
	}
	defer reader.Close()
	return reader.Documents(ctx, store.Filter{State: store.Failed}, f)
}

// maxCompleted bounds what a shell is offered: the newest that failed.
const maxCompleted = 100

// completeFailed offers the failed documents that are not given yet, newest
// first, each with its name.
func completeFailed(ctx context.Context, database string, given []string) []string {
	var all []string
	// What cannot be read is not offered, and nobody looks at a completion's errors.
	_ = eachFailed(ctx, database, func(d *store.Document) error {
		if id := strconv.FormatInt(d.ID, 10); !slices.Contains(given, id) {
			all = append(all, id+"\t"+display.Printable(d.Source))
		}
		return nil
	})
	slices.Reverse(all)
	return all[:min(len(all), maxCompleted)]
}
