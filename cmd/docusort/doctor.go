package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"docusort/cmd/docusort/internal/doctor"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline/docutray"

	"github.com/spf13/cobra"
)

func (p program) doctorCommand(load loader) *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "check whether everything is in order",
		Long: "doctor checks settings, folders, permissions, free space, inotify limits, the\n" +
			"database, the API key and the type codes, and says of each what is wrong and what to\n" +
			"do about it. It changes nothing, and may be run while the daemon runs: best as the user\n" +
			"that the daemon runs as, since permissions are those of whoever asks. With --fix it makes\n" +
			"folders that are missing and gives their owner the rights that he lacks. It exits with 0,\n" +
			"or with 78 if anything is wrong.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := load(settings.NeedKey | settings.NeedTypes)
			if s == nil {
				return err
			}
			results := append(settingsResults(s, err), hookResults(s)...)
			d := doctor.Doctor{
				Home: s.Home, Inbox: s.Inbox, Sorted: s.Sorted, Database: s.Database,
				Recursive: s.Recursive, Inotify: s.Watch != settings.WatchPoll, Fix: fix,
			}
			results = append(results, d.Look(cmd.Context())...)
			results = append(results, serviceResults(cmd.Context(), s)...)
			if err := doctor.Write(p.stdout, results, p.color(p.stdout)); err != nil {
				return err
			}
			if doctor.Wrong(results) {
				return settings.Problems{} // all has been said
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "make missing folders and mend their modes")
	return cmd
}

// settingsResults tells of each problem that the settings have.
func settingsResults(s *settings.Settings, err error) (results []doctor.Result) {
	var problems settings.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			results = append(results, doctor.Result{Name: "settings", Wrong: true, Text: problem.String()})
		}
		return results
	}
	text := "from the environment"
	if s.ConfigFile != "" {
		text = "from " + s.ConfigFile
	}
	if os.Geteuid() == 0 {
		text += "; permissions are checked as root, so run this as the daemon's user too: sudo -u docusort docusort doctor"
	}
	return []doctor.Result{{Name: "settings", Text: text}}
}

// hookResults looks at the hook, where there is to be one.
func hookResults(s *settings.Settings) []doctor.Result {
	switch err := checkHook(s); {
	case err != nil:
		return []doctor.Result{{Name: "hook", Wrong: true, Text: err.Error()}}
	case s.Hook == "":
		return nil
	}
	return []doctor.Result{{Name: "hook", Text: s.Hook}}
}

// serviceResults asks the service for the types, which shows whether it takes the
// key as well. Without a key there is nothing to ask.
func serviceResults(ctx context.Context, s *settings.Settings) []doctor.Result {
	if s.Key.IsZero() {
		return nil
	}
	fail := func(name, format string, args ...any) []doctor.Result {
		return []doctor.Result{{Name: name, Wrong: true, Text: fmt.Sprintf(format, args...)}}
	}
	client, _, err := newClient(s, nil, nil)
	if err != nil {
		return fail("service", "%v", err)
	}
	defer client.Close()
	types, err := client.DocumentTypes(ctx)
	if e, ok := docutray.AsError(err); ok {
		switch {
		case e.StatusCode == 401:
			return fail("key", "%s refuses the key (%s): make a new one in DocuTray and set it", s.BaseURL, e.Reason())
		case e.Class == docutray.Account:
			return fail("key", "%s: %s: see to the account in DocuTray", s.BaseURL, e.Reason())
		case e.Class == docutray.Rate:
			return fail("service", "%s limits requests for now (%s): try again later", s.BaseURL, e.Reason())
		}
		return fail("service", "%s cannot be asked: %s; it is the service or the way to it, and docusort waits for it", s.BaseURL, e.Reason())
	}
	if err != nil {
		return fail("service", "%v", err)
	}
	return []doctor.Result{{Name: "key", Text: "taken by " + s.BaseURL}, typesResult(s.DocumentTypes, types)}
}

// typesResult compares the type codes that are set with those that there are.
func typesResult(wanted []string, types []docutray.DocumentType) doctor.Result {
	var missing, drafts, codes []string
	for _, t := range types {
		codes = append(codes, t.Code)
		if slices.Contains(wanted, t.Code) && (t.Draft || strings.EqualFold(t.Status, "draft")) {
			drafts = append(drafts, t.Code)
		}
	}
	for _, code := range wanted {
		if !slices.Contains(codes, code) {
			missing = append(missing, code)
		}
	}
	var text []string
	if len(missing) > 0 {
		text = append(text, fmt.Sprintf("the account cannot see %s: correct DOCUSORT_DOCUMENT_TYPES ('docusort types' lists what there is), or make it in DocuTray",
			strings.Join(missing, ", ")))
	}
	if len(drafts) > 0 {
		text = append(text, fmt.Sprintf("only a draft: %s: publish it in DocuTray, or leave it out of DOCUSORT_DOCUMENT_TYPES", strings.Join(drafts, ", ")))
	}
	if len(text) > 0 {
		return doctor.Result{Name: "types", Wrong: true, Text: strings.Join(text, "; ")}
	}
	return doctor.Result{Name: "types", Text: fmt.Sprintf("%s: all there", strings.Join(wanted, ", "))}
}
