package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline"

	"github.com/spf13/cobra"
)

func (p program) relocateCommand(load loader) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "relocate",
		Short: "make the folders in the settings those that the documents are in",
		Long: "relocate is for after a move or a take-over, when the inbox or the sorted folder is\n" +
			"another one than the database knows. It looks for each unfinished document: in the\n" +
			"inbox that the settings name, then, by name and content, beneath the sorted folder,\n" +
			"where it may have been filed after the database was copied. It looks for each document\n" +
			"that was filed beneath another sorted folder: at the same place beneath the one that\n" +
			"the settings name. It shows what it concludes, asks, and changes only the database. It\n" +
			"concludes nothing from a folder that is missing, or empty as one that is not mounted\n" +
			"is, and nothing about a document that is still where it was. Run it before docusort is\n" +
			"started.",
		Example: "  docusort relocate\n  docusort relocate --yes",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Decisions are left to the next command, or the daemon: their folders may have moved.
			return p.openRecord(cmd.Context(), load, func(s *settings.Settings, r pipeline.Refiler) error {
				return hintAtUser(p.relocate(cmd.Context(), pipeline.Relocator{
					Store: r.Store, Inbox: s.Inbox, Sorted: s.Sorted, Folders: r.Folders, DocumentTypes: s.DocumentTypes,
				}, yes, cmd.InOrStdin()))
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (p program) relocate(ctx context.Context, r pipeline.Relocator, yes bool, in io.Reader) error {
	plan, err := r.Plan(ctx)
	if err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	recorded, err := r.PlanSorted(ctx)
	if err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	moved := p.showPlan(r, plan, recorded)
	if len(plan)+moved == 0 {
		return nil
	}
	if !yes {
		fmt.Fprintf(p.stderr, "Are they in %s and %s from now on? [y/N] ", display.Printable(r.Inbox), display.Printable(r.Sorted))
		answer, _ := bufio.NewReader(in).ReadString('\n')
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return errors.New("nothing was changed; --yes does it without asking")
		}
	}
	if err := r.Apply(ctx, plan); err != nil {
		return err
	}
	if moved > 0 {
		stored, err := r.ApplySorted(ctx)
		fmt.Fprintf(p.stdout, "%d are recorded in %s now\n", stored, display.Printable(r.Sorted))
		return err
	}
	return nil
}

// showPlan shows what became of documents, and returns how many moved with the sorted
// folder. Those are not listed, because they may be all that was ever filed.
func (p program) showPlan(r pipeline.Relocator, plan []pipeline.Relocation, recorded []pipeline.Recorded) (moved int) {
	counts := make(map[string]int)
	for _, one := range plan {
		kind, place := concluded(one)
		counts[kind]++
		fmt.Fprintf(p.stdout, "%d: %s: %s%s\n", one.Document.ID, display.Printable(one.Document.Source), kind, place)
	}
	fmt.Fprintf(p.stdout, "%d unfinished: %d %s, %d %s, %d %s, %d %s\n", len(plan), counts[inInbox], inInbox,
		counts[inSorted], inSorted, counts[inNeither], inNeither, counts[notKnown], notKnown)
	for _, in := range recorded {
		moved += in.Moved
		fmt.Fprintf(p.stdout, "%d recorded in %s: %d moved to %s, %d still there, %d in neither, %d %s\n",
			in.Moved+in.Still+in.Missing+in.Unclear, display.Printable(in.In), in.Moved, display.Printable(r.Sorted),
			in.Still, in.Missing, in.Unclear, notKnown)
		if in.Err != nil {
			fmt.Fprintf(p.stdout, "%s: %s\n", notKnown, display.Printable(in.Err.Error()))
		}
	}
	return moved
}

// What relocate concludes.
const (
	inInbox   = "in the inbox"
	inSorted  = "filed already"
	inNeither = "gone"
	notKnown  = "left as they are"
)

func concluded(one pipeline.Relocation) (kind, more string) {
	switch {
	case one.Left != nil:
		return notKnown, ": " + one.Left.Error()
	case one.Arrived:
		return inSorted, ", in sorted: " + display.Printable(cmp.Or(one.Document.StaysAt, one.Document.Target))
	case one.Found != nil:
		return inSorted, ", in sorted: " + display.Printable(one.Found.Target)
	case one.Gone:
		return inNeither, ", in neither folder"
	}
	return inInbox, ""
}
