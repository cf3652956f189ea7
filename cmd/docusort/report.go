package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report"
	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"

	"github.com/spf13/cobra"
)

func (p program) reportCommand(load loader) *cobra.Command {
	var since, state string
	var exitCode bool
	format := report.FormatTable
	var o report.Options
	cmd := &cobra.Command{
		Use:   "report",
		Short: "show what happened and what is going on",
		Long: "report shows what happened and what is going on. It reads the database only, so it\n" +
			"works while the daemon runs, after it stopped, and after it was killed.\n\n" +
			"Of the formats, table is for people, json for programs, csv has a row for each\n" +
			"document and nothing else, and html is one page with plots that needs no network.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := setFilter(&o.Filter, since, state); err != nil {
				return err
			}
			s, err := load(0)
			if err != nil {
				return err
			}
			r, err := store.OpenReader(cmd.Context(), s.Database)
			if err != nil {
				if s.ConfigSkipped != nil {
					err = fmt.Errorf("%w\nThe settings may name another one: %w", err, s.ConfigSkipped)
				}
				return err
			}
			defer r.Close()
			o.Width, o.Color = width(p.stdout), p.color(p.stdout)
			if err := report.Write(cmd.Context(), p.stdout, r, format, o); err != nil || !exitCode {
				return err
			}
			trouble, err := report.Trouble(cmd.Context(), r, o.Filter)
			if err == nil && trouble {
				err = errTrouble
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&since, "since", "", "leave out what was finished longer ago, such as 24h or 30d")
	f.StringVar(&state, "state", "", "only documents in this state: "+strings.Join(stateNames(), ", "))
	f.StringVar(&o.Filter.Type, "type", "", "only documents of this type code")
	f.BoolVar(&o.Documents, "documents", false, "list the documents too")
	f.Var(&format, "format", "the form of the report")
	f.BoolVar(&exitCode, "exit-code", false, "exit with 1 when something failed or the daemon is on hold")
	must(cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(stateNames(), cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("type", completeTypes(load)))
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// completeTypes offers the types that documents have, which the database knows. A
// name that a shell would show as something else is left out.
func completeTypes(load loader) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		s, err := load(0)
		if err != nil {
			return nil, none
		}
		r, err := store.OpenReader(cmd.Context(), s.Database)
		if err != nil {
			return nil, none
		}
		defer r.Close()
		types, err := r.Types(cmd.Context())
		if err != nil {
			return nil, none
		}
		return slices.DeleteFunc(types, func(name string) bool {
			return !strings.HasPrefix(name, begun) || display.Printable(name) != name
		}), none
	}
}

// errTrouble makes the exit code of --exit-code; the report has said it all.
var errTrouble = silentError{}

type silentError struct{}

func (silentError) Error() string { return "" }

func setFilter(f *store.Filter, since, state string) error {
	if since != "" {
		ago, err := settings.ParseDuration(since)
		if err != nil || ago < 0 {
			return usageError{fmt.Errorf("--since %q: give how long ago, such as 24h or 30d", since)}
		}
		f.Since = time.Now().Add(-ago)
	}
	f.State = store.State(state)
	for _, known := range store.States() {
		if f.State == known || state == "" {
			return nil
		}
	}
	return usageError{fmt.Errorf("--state %s: choose from %s", state, strings.Join(stateNames(), ", "))}
}

func stateNames() []string {
	var names []string
	for _, s := range store.States() {
		names = append(names, string(s))
	}
	return names
}

// must is for mistakes in this program's own flags.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
