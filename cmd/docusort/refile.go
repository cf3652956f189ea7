package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline"
	"docusort/pipeline/filing"
	"docusort/store"

	"github.com/spf13/cobra"
)

func (p program) refileCommand(load loader) *cobra.Command {
	var asIdentified bool
	cmd := &cobra.Command{
		Use:   "refile ID… TYPE",
		Short: "file documents under the type that you choose",
		Long: "refile files documents under the type that you choose, be they filed, in review or\n" +
			"failed, whether the daemon runs or not. Nothing is overwritten. Documents of the same\n" +
			"content that come later are filed under it as well, without asking the service.\n\n" +
			"TYPE is one of DOCUSORT_DOCUMENT_TYPES, or one that has a folder already. The report's\n" +
			"--documents shows the IDs. Moving a document out of _review or _failed into a type's\n" +
			"folder by hand does the same.",
		Example: "  docusort refile 12 invoice\n  docusort refile 12 15 --as-identified",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) == 1 && !asIdentified {
				return usageError{fmt.Errorf("refile what? Give the IDs that '%s' shows, and a type", load.command("report --documents"))}
			}
			kind := ""
			if !asIdentified {
				args, kind = args[:len(args)-1], args[len(args)-1]
			}
			ids, err := parseIDs(load, args)
			if err == nil && !asIdentified {
				err = checkType(load, kind)
			}
			if err != nil {
				return err
			}
			return p.refile(cmd.Context(), load, ids, kind)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeRefile(cmd.Context(), load, args, asIdentified), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		},
	}
	cmd.Flags().BoolVar(&asIdentified, "as-identified", false, "under the type that the service named, instead of TYPE")
	return cmd
}

// knownTypes returns the types that documents may be filed under: those of the settings,
// and those that have a folder.
func knownTypes(load loader) ([]string, error) {
	s, err := load(0)
	if err != nil {
		return nil, err
	}
	folders, _ := filing.ParseFolders(s.Folders)
	types := slices.Clone(s.DocumentTypes)
	names, err := folders.TypeNames(s.Sorted)
	for _, name := range names {
		if !slices.ContainsFunc(types, func(code string) bool { return filing.FolderName(code) == name }) {
			types = append(types, name)
		}
	}
	return types, err
}

// refile files documents under a type; "": under those that the service named.
func (p program) refile(ctx context.Context, load loader, ids []int64, kind string) error {
	return p.changeRecord(ctx, load, func(s *settings.Settings, r pipeline.Refiler) error {
		return p.eachDocument(ctx, s, r.Store, ids, false, func(ctx context.Context, doc store.Document) (string, error) {
			return refileOne(ctx, r, doc, kind)
		})
	})
}

func checkType(load loader, kind string) error {
	types, err := knownTypes(load)
	if err != nil || slices.Contains(types, kind) {
		return err
	}
	return usageError{fmt.Errorf("there is no type %s; choose from %s, or name it in DOCUSORT_DOCUMENT_TYPES first",
		display.Printable(kind), cmp.Or(display.Printable(strings.Join(types, ", ")), "none so far"))}
}

func refileOne(ctx context.Context, r pipeline.Refiler, doc store.Document, kind string) (outcome string, err error) {
	switch {
	case doc.State == store.Gone || !doc.State.Finished():
		return "", fmt.Errorf("%s is %s, and only what is filed, in review or failed can be refiled", display.Printable(doc.Source), doc.State)
	case kind == "":
		is, known := pipeline.AsIdentified(&doc)
		if !known {
			return "", fmt.Errorf("the service named no type for %s; name one yourself", display.Printable(doc.Source))
		}
		kind = is.Code
	}
	place, err := r.Refile(ctx, doc, kind)
	return "filed under " + display.Printable(kind) + ": " + display.Printable(place), err
}

// completeRefile offers the documents that are not given yet, those in review first, the
// newest first, each with its name; and the types, once there is a document.
func completeRefile(ctx context.Context, load loader, given []string, asIdentified bool) (all []string) {
	if len(given) > 0 && !asIdentified {
		types, _ := knownTypes(load)
		all = slices.DeleteFunc(types, func(name string) bool { return display.Printable(name) != name })
	}
	for _, state := range []store.State{store.Review, store.Failed} {
		all = append(all, completeDocuments(ctx, load, state, given)...)
	}
	return all
}
