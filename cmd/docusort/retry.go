package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline"
	"docusort/store"

	"github.com/spf13/cobra"
)

func (p program) retryCommand(load loader) *cobra.Command {
	var all, again bool
	cmd := &cobra.Command{
		Use:   "retry [ID…]",
		Short: "put failed documents back into the inbox",
		Long: "retry puts failed documents back into the inbox, at their old places, to be tried\n" +
			"again under the same record, whether the daemon runs or not. The report's --documents\n" +
			"shows their IDs. Moving a document out of _failed into the inbox by hand does the same.\n\n" +
			"With --again the service is asked anew about documents that are filed or in review,\n" +
			"which is paid for. Each stays where it is until the new answer is there, and for good\n" +
			"where there is none.",
		Example: "  docusort retry 17 42\n  docusort retry --all\n  docusort retry 12 --again",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && again {
				return usageError{errors.New("retry --again takes IDs, because each is paid for")}
			}
			ids, err := documentIDs(load, args, all)
			if err != nil {
				return err
			}
			if again {
				return p.askAnew(cmd.Context(), load, ids)
			}
			return p.retry(cmd.Context(), load, ids, all)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			state := store.Failed
			if again {
				state = store.Review
			}
			return completeDocuments(cmd.Context(), load, state, args), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		},
	}
	cmd.Flags().BoolVar(&again, "again", false, "ask the service anew about documents that are filed or in review, which is paid for")
	cmd.Flags().BoolVar(&all, "all", false, "retry every failed document")
	return cmd
}

func documentIDs(load loader, args []string, all bool) (ids []int64, err error) {
	switch {
	case all && len(args) > 0:
		return nil, usageError{errors.New("retry takes IDs or --all, not both")}
	case !all && len(args) == 0:
		return nil, usageError{fmt.Errorf("retry what? Give the IDs that '%s' shows, or --all", load.command("report --documents --state failed"))}
	}
	return parseIDs(load, args)
}

func parseIDs(load loader, args []string) (ids []int64, err error) {
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
		return nil, usageError{fmt.Errorf("%s: an ID is a number that '%s' shows", strings.Join(bad, ", "), load.command("report --documents"))}
	}
	return ids, nil
}

func (p program) retry(ctx context.Context, load loader, ids []int64, all bool) error {
	return p.changeRecord(ctx, load, func(s *settings.Settings, refiler pipeline.Refiler) error {
		r := retrier{out: p.stdout, all: all, Requeuer: pipeline.Requeuer{
			Store: refiler.Store, Inbox: s.Inbox, OnStep: p.hooks.step, Mover: refiler.Mover,
		}}
		if all {
			err := eachInState(ctx, load, store.Failed, func(d *store.Document) { ids = append(ids, d.ID) })
			if err != nil {
				return err
			}
		}
		return r.retryAll(ctx, ids)
	})
}

// retrier puts documents back, one after the other.
type retrier struct {
	pipeline.Requeuer
	out io.Writer
	all bool // the documents are those that had failed a moment ago
}

// retryAll says what became of each document. An error of one does not keep it from
// the others.
func (r retrier) retryAll(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		fmt.Fprintln(r.out, "nothing has failed")
	}
	return eachID(ctx, r.out, ids, r.retryOne)
}

// noLongerFailed is the outcome where the daemon was quicker.
const noLongerFailed = "skipped, it is no longer failed"

func (r retrier) retryOne(ctx context.Context, id int64) (outcome string, err error) {
	doc, err := r.Store.Document(ctx, id)
	switch {
	case r.all && (errors.Is(err, sql.ErrNoRows) || err == nil && doc.State != store.Failed):
		return noLongerFailed, nil
	case errors.Is(err, sql.ErrNoRows):
		return "", errors.New("there is no such document")
	case err != nil:
		return "", err
	case doc.State != store.Failed:
		hint := ""
		if doc.State == store.Filed || doc.State == store.Review {
			hint = "; --again asks the service anew, which is paid for"
		}
		return "", fmt.Errorf("%s has not failed, it is %s%s", display.Printable(doc.Source), doc.State, hint)
	}
	place, changed, err := r.PutBack(ctx, doc)
	switch {
	case errors.Is(err, pipeline.ErrMoved):
		return "skipped, it is no longer at " + display.Printable(filepath.Join(doc.Sorted, doc.Target)), nil
	case errors.Is(err, store.ErrStale):
		return noLongerFailed, nil
	case err != nil:
		return "", hintAtUser(err)
	}
	outcome = "back in the inbox as " + display.Printable(place)
	if changed {
		outcome += ", as a new document: it was changed since it failed"
	}
	return outcome, nil
}

// askAnew lets the daemon ask the service anew.
func (p program) askAnew(ctx context.Context, load loader, ids []int64) error {
	return p.changeRecord(ctx, load, func(_ *settings.Settings, r pipeline.Refiler) error {
		return eachID(ctx, p.stdout, ids, func(ctx context.Context, id int64) (string, error) {
			doc, err := r.Store.Document(ctx, id)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return "", errors.New("there is no such document")
			case err != nil:
				return "", err
			case doc.State != store.Filed && doc.State != store.Review:
				return "", fmt.Errorf("%s is %s; --again is for what is filed or in review", display.Printable(doc.Source), doc.State)
			}
			err = r.AskAnew(ctx, doc)
			switch {
			case errors.Is(err, pipeline.ErrMoved):
				return "skipped, it is no longer at " + display.Printable(filepath.Join(doc.Sorted, doc.Target)), nil
			case err != nil:
				return "", hintAtUser(err)
			}
			return "asked anew within DOCUSORT_RESCAN, which is paid for; until then it stays at " + display.Printable(doc.Target), nil
		})
	})
}

func eachInState(ctx context.Context, load loader, state store.State, f func(*store.Document)) error {
	reader, err := load.openReader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	return reader.Documents(ctx, store.Filter{State: state}, func(d *store.Document) error {
		f(d)
		return nil
	})
}

const maxCompleted = 100

// completeDocuments offers the documents in a state that are not given yet, newest first,
// each with its name. A shell shows no errors.
func completeDocuments(ctx context.Context, load loader, state store.State, given []string) []string {
	var all []string
	_ = eachInState(ctx, load, state, func(d *store.Document) {
		if id := strconv.FormatInt(d.ID, 10); !slices.Contains(given, id) {
			all = append(all, id+"\t"+display.Printable(d.Source))
		}
	})
	slices.Reverse(all)
	return all[:min(len(all), maxCompleted)]
}
