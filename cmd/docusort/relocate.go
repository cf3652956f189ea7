package main

import (
	"bufio"
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
		Short: "make the folder in the settings the inbox of all unfinished documents",
		Long: "relocate is for after a move or a take-over, when the inbox is another folder than the\n" +
			"one that the database knows. It looks for each unfinished document: in the inbox that\n" +
			"the settings name, then, by name and content, beneath the sorted folder, where it may\n" +
			"have been filed after the database was copied. It shows what it concludes, asks, and\n" +
			"changes only the database. It concludes nothing from a folder that is missing, or\n" +
			"empty as one that is not mounted is. Run it before docusort is started.",
		Example: "  docusort relocate\n  docusort relocate --yes",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.changeRecord(cmd.Context(), load, func(s *settings.Settings, r pipeline.Refiler) error {
				return p.relocate(cmd.Context(), s, pipeline.Relocator{
					Store: r.Store, Inbox: s.Inbox, Sorted: s.Sorted, Folders: r.Folders, DocumentTypes: s.DocumentTypes,
				}, yes, cmd.InOrStdin())
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

func (p program) relocate(ctx context.Context, s *settings.Settings, r pipeline.Relocator, yes bool, in io.Reader) error {
	plan, err := r.Plan(ctx)
	if err != nil {
		return hintAtUser(fmt.Errorf("nothing was changed: %w", err))
	}
	counts := make(map[string]int)
	for _, one := range plan {
		kind, place := concluded(one)
		counts[kind]++
		fmt.Fprintf(p.stdout, "%d: %s: %s%s\n", one.Document.ID, display.Printable(one.Document.Source), kind, place)
	}
	fmt.Fprintf(p.stdout, "%d unfinished: %d %s, %d %s, %d %s, %d %s\n", len(plan), counts[inInbox], inInbox,
		counts[inSorted], inSorted, counts[inNeither], inNeither, counts[notKnown], notKnown)
	if len(plan) == 0 {
		return nil
	}
	if !yes {
		fmt.Fprintf(p.stderr, "Make %s their inbox? [y/N] ", display.Printable(s.Inbox))
		answer, _ := bufio.NewReader(in).ReadString('\n')
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return errors.New("nothing was changed; --yes does it without asking")
		}
	}
	return hintAtUser(r.Apply(ctx, plan))
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
	case one.Found != nil:
		return inSorted, ", in sorted: " + display.Printable(one.Found.Target)
	case one.Gone:
		return inNeither, ", in neither folder"
	}
	return inInbox, ""
}
