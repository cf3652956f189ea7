package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/report"
	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/wording"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"

	"github.com/spf13/cobra"
)

func (p program) reportCommand(load loader) *cobra.Command {
	var since, state, format string
	var exitCode bool
	var o report.Options
	cmd := &cobra.Command{
		Use:   "report",
		Short: "show what happened and what is going on",
		Long: "report shows what happened and what is going on. It reads the database, so it\n" +
			"works while the daemon runs, after it stopped, and after it was killed.\n\n" +
			"What the states mean, and what to do about each: docusort help states.\n\n" +
			"Of the formats, table is for people, json for programs, csv has a row for each\n" +
			"document and nothing else, and html is one page with plots that needs no network.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(setFilter(&o.Filter, since, state), checkChoice("format", format, report.Formats)); err != nil {
				return err
			}
			o.Width, o.Color = width(p.stdout), p.color(p.stdout)
			return p.report(cmd.Context(), load, format, o, exitCode)
		},
	}
	f := cmd.Flags()
	f.StringVar(&since, "since", "", "leave out what was finished longer ago, such as 24h or 30d")
	f.StringVar(&state, "state", "", "only documents in this state: "+strings.Join(stateNames(), ", "))
	f.StringVar(&o.Filter.Type, "type", "", "only documents of this type code")
	f.BoolVar(&o.Documents, "documents", false, "list the documents too")
	f.StringVar(&format, "format", report.Formats[0], "the form of the report: "+strings.Join(report.Formats, ", "))
	f.BoolVar(&exitCode, "exit-code", false, "exit with 1 when something failed within --since, else 24h, or is stuck, or the daemon is on hold, was killed or does not start")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(stateNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("type", completeTypes(load))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// statesTopic is no command, but a topic of help.
func statesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "states",
		Short: "what the states of documents mean, and what to do about each",
		Long:  "What the report and the status page say of documents, and what to do about it:\n\n" + wording.Explain(78),
	}
}

func (p program) report(ctx context.Context, load loader, format string, o report.Options, exitCode bool) error {
	r, s, err := load.openReader(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	o.Name, o.Source, o.Sorted = s.Where(), s.Source, s.Sorted
	d, err := r.Daemon(ctx)
	if err != nil {
		return err
	}
	unit := s.Unit()
	failed := !d.Running && s.Source.Config == "" && unitFailed(ctx, unit)
	if failed {
		fmt.Fprintf(p.stderr, "docusort: the service %s has failed: 'journalctl -p err -u %s' says why\n", unit, unit)
	}
	if err := report.Write(ctx, p.stdout, r, format, o); err != nil || !exitCode {
		return err
	}
	trouble, err := report.Trouble(ctx, r, o.Filter, time.Now())
	if err == nil && (trouble || failed) {
		err = errTrouble
	}
	return err
}

// unitFailed reports whether a unit failed when systemd last started it, be it that it is
// tried again. What refuses to start, as with wrong settings, leaves nothing about that in
// the database.
func unitFailed(ctx context.Context, unit string) bool {
	result, err := exec.CommandContext(ctx, "systemctl", "show", "-P", "Result", unit+".service").Output()
	return err == nil && len(result) > 0 && string(result) != "success\n"
}

// completeTypes offers the types of the documents in the database, without those
// that a shell would not show as they are.
func completeTypes(load loader) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		r, _, err := load.openReader(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer r.Close()
		types, _ := r.Types(cmd.Context())
		return slices.DeleteFunc(types, func(name string) bool {
			return !strings.HasPrefix(name, begun) || display.Printable(name) != name
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

// errTrouble sets the exit code of --exit-code. It has no text: the report has
// said everything.
var errTrouble = errors.New("")

func setFilter(f *store.Filter, since, state string) error {
	if since != "" {
		ago, err := settings.ParseDuration(since)
		if err != nil || ago < 0 {
			return usageError{fmt.Errorf("--since %q: give how long ago, such as 24h or 30d", since)}
		}
		f.Since = time.Now().Add(-ago)
	}
	f.State = store.State(state)
	if state == "" {
		return nil
	}
	return checkChoice("state", state, stateNames())
}

func checkChoice(flag, value string, choices []string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	return usageError{fmt.Errorf("--%s %s: choose from %s", flag, value, strings.Join(choices, ", "))}
}

func stateNames() []string {
	var names []string
	for _, s := range store.States() {
		names = append(names, string(s))
	}
	return names
}
