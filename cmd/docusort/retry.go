package main

import (
	"context"
	"errors"
	"fmt"
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
			"shows their IDs. Moving a document out of _failed into the inbox by hand does the same;\n" +
			"one that is moved out of _review goes by the answer that is known.\n\n" +
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
		if all {
			err := eachInState(ctx, load, store.Failed, func(d *store.Document) { ids = append(ids, d.ID) })
			if err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			fmt.Fprintln(p.stdout, "nothing has failed")
		}
		r := pipeline.Requeuer{Store: refiler.Store, Inbox: s.Inbox, OnStep: p.hooks.step, Mover: refiler.Mover}
		return p.retryEach(ctx, s, r, ids, all)
	})
}

// retryEach puts documents back. With all, they are those that had failed a moment ago.
func (p program) retryEach(ctx context.Context, s *settings.Settings, r pipeline.Requeuer, ids []int64, all bool) error {
	return p.eachDocument(ctx, s, r.Store, ids, all, func(ctx context.Context, doc store.Document) (string, error) {
		switch {
		case doc.State == store.Failed:
			return putBack(ctx, r, doc)
		case all:
			return "", store.ErrStale
		case doc.State == store.Filed || doc.State == store.Review:
			return "", fmt.Errorf("%s has not failed, it is %s; --again asks the service anew, which is paid for", display.Printable(doc.Source), doc.State)
		}
		return "", fmt.Errorf("%s has not failed, it is %s", display.Printable(doc.Source), doc.State)
	})
}

func putBack(ctx context.Context, r pipeline.Requeuer, doc store.Document) (outcome string, err error) {
	place, changed, err := r.PutBack(ctx, doc)
	outcome = "back in the inbox as " + display.Printable(place)
	if changed {
		outcome += ", as a new document: it was changed since it failed"
	}
	return outcome, err
}

// askAnew lets the daemon ask the service anew.
func (p program) askAnew(ctx context.Context, load loader, ids []int64) error {
	return p.changeRecord(ctx, load, func(s *settings.Settings, r pipeline.Refiler) error {
		begins := "once docusort runs"
		if r.Store.DaemonRuns() {
			begins = "within " + display.Duration(s.Rescan) + ", or at a reload"
		}
		return p.eachDocument(ctx, s, r.Store, ids, false, func(ctx context.Context, doc store.Document) (string, error) {
			if doc.State != store.Filed && doc.State != store.Review {
				return "", fmt.Errorf("%s is %s; --again is for what is filed or in review", display.Printable(doc.Source), doc.State)
			}
			return "asked anew " + begins + ", which is paid for; until there is an answer it stays at " + display.Printable(doc.Target), r.AskAnew(ctx, doc)
		})
	})
}

func eachInState(ctx context.Context, load loader, state store.State, f func(*store.Document)) error {
	reader, _, err := load.openReader(ctx)
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
