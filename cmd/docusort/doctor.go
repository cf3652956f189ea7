package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/doctor"
	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline/docutray"

	"github.com/spf13/cobra"
)

func (p program) doctorCommand(load loader) *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "check whether everything is in order",
		Long: "doctor checks settings, folders, permissions, free space, inotify limits, what the unit\n" +
			"lets the service write, the database, the API key, the clock and the type codes, and\n" +
			"whether work is on hold or stuck. It says what is wrong and what to do.\n\n" +
			"It moves small files of its own from the inbox to the sorted folder, where the daemon\n" +
			"leaves them alone, and removes them; else it changes nothing, and may be run while the\n" +
			"daemon runs.\n\nRun as root, it works as the user that the database belongs to, else as\n" +
			"user docusort, and with the key of the service. With --fix it makes missing folders and\n" +
			"gives their owner the rights that are lacking; run as root, it also opens the folders\n" +
			"that members of the group made in the inbox to the group. It exits with 0, or with 78\n" +
			"if anything is wrong.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			started := p.tellSlowStart()
			s, err := load(settings.NeedKey | settings.NeedTypes | settings.NeedFolders)
			started()
			if s == nil {
				return err
			}
			results, err := p.checkAll(cmd.Context(), s, err, fix)
			if err != nil {
				return err
			}
			if err := doctor.Write(p.stdout, results, p.color(p.stdout)); err != nil {
				return err
			}
			if doctor.AnyWrong(results) {
				return settings.Problems{} // the results have said everything
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "make missing folders and mend their modes")
	return cmd
}

// checkAll checks first what root alone can see, then the rest as the service's user.
func (p program) checkAll(ctx context.Context, s *settings.Settings, problems error, fix bool) ([]doctor.Result, error) {
	d := doctor.Doctor{Settings: s, Fix: fix}
	var first []doctor.Result
	if s.Config == "" {
		first = append(checkRunningKey(s, "/run/credentials/"+s.Unit()+".service"), d.CheckUnit(ctx)...)
	}
	if fix && os.Geteuid() == 0 {
		first = append(first, d.MendMembers()...)
	}
	if err := p.becomeOwner(s.Database); err != nil {
		return nil, err
	}
	d.Watched = isLocked(s.Inbox)
	return slices.Concat(checkSettings(s, problems), first, checkInbox(s), reportHook(s), d.Check(ctx), checkService(ctx, s)), nil
}

// checkRunningKey compares the key in the file with the copy that the service has.
func checkRunningKey(s *settings.Settings, credentials string) []doctor.Result {
	used, err := docutray.FileKey(filepath.Join(credentials, settings.CredentialName))
	if err != nil || s.KeyFile != s.InstalledKey() {
		return nil // it does not run, or this is not root
	}
	one, _ := used.Key()
	other, _ := s.Keys.Key()
	if one.Reveal() == other.Reveal() {
		return []doctor.Result{doctor.OK("key", "the service runs with the one in %s", s.KeyFile)}
	}
	return []doctor.Result{doctor.Wrong("key", "the service runs with another one than %s has: systemctl restart %s", s.KeyFile, s.Unit())}
}

func checkSettings(s *settings.Settings, err error) (results []doctor.Result) {
	if s.ConfigSkipped != nil && err != nil { // what else is wrong comes of this
		return []doctor.Result{doctor.Wrong("settings", "%v; run '%s' as root", s.ConfigSkipped, s.Command("doctor"))}
	}
	var problems settings.Problems
	_ = errors.As(err, &problems)
	for _, problem := range problems {
		if problem.Name != settings.KeyName || s.KeyOfRoot == "" {
			results = append(results, doctor.Wrong("settings", "%s", problem))
		}
	}
	if len(results) > 0 {
		return results
	}
	text := "from the environment"
	if s.ConfigFile != "" {
		text = "from " + s.ConfigFile
	}
	text += ", checked as user " + userName()
	if s.KeyOfRoot != "" {
		text += "; run this as root to check the key and the types too, because only root can read " + s.KeyOfRoot
	}
	results = append(results, doctor.OK("settings", "%s", text))
	switch s.KeyExposed {
	case "":
		if s.Keys != nil && s.KeyFile != "" {
			results = append(results, doctor.OK("key", "only its owner can read %s", s.KeyFile))
		}
	case s.KeyFile:
		results = append(results, doctor.Wrong("key", "others than its owner can read %s: chmod 600 %s", s.KeyFile, s.KeyFile))
	default:
		results = append(results, doctor.Wrong("key", "%s holds the API key, and others than its owner can read it: "+
			"put the key into a file of its own, of mode 600, and name that in DOCUTRAY_API_KEY_FILE", s.KeyExposed))
	}
	return results
}

// checkInbox finds what a daemon refuses to start for.
func checkInbox(s *settings.Settings) []doctor.Result {
	if err := checkBeneath(s, s.Inbox); err != nil {
		return []doctor.Result{doctor.Wrong("inbox", "%v", err)}
	}
	return nil
}

func reportHook(s *settings.Settings) []doctor.Result {
	if s.Hook == "" {
		return nil
	}
	if err := checkHook(s); err != nil {
		return []doctor.Result{doctor.Wrong("hook", "%v", err)}
	}
	return []doctor.Result{doctor.OK("hook", "%s", s.Hook)}
}

// checkService asks the service for the types, which also shows whether it accepts
// the key. Without a key there is nothing to ask.
func checkService(ctx context.Context, s *settings.Settings) []doctor.Result {
	if s.Keys == nil {
		return nil
	}
	client, err := newClient(s, nil, nil)
	if err != nil {
		return []doctor.Result{doctor.Wrong("service", "%v", err)}
	}
	defer client.Close()
	types, err := client.DocumentTypes(ctx)
	if err != nil {
		return []doctor.Result{serviceTrouble(s.BaseURL, err)}
	}
	return append(checkClock(client.ClockSkew()), doctor.OK("key", "taken by %s", s.BaseURL), checkTypes(s.Source, s.DocumentTypes, types))
}

// checkClock finds a clock that is off: times of documents would be wrong, and with a
// larger error certificates seem not to be valid.
func checkClock(off time.Duration) []doctor.Result {
	where := "ahead of"
	switch {
	case off == 0: // the answer had no date
		return nil
	case off.Abs() < time.Minute:
		return []doctor.Result{doctor.OK("clock", "as the service's, within a minute")}
	case off < 0:
		where = "behind"
	}
	return []doctor.Result{doctor.Wrong("clock", "the clock of this machine is %s %s the service's: set it, as with timedatectl set-ntp true",
		display.Duration(off.Abs()), where)}
}

func serviceTrouble(url string, err error) doctor.Result {
	e := docutray.AsError(err)
	switch {
	case e.Class == docutray.Local:
		return doctor.Wrong("service", "%v", err)
	case e.StatusCode == http.StatusUnauthorized:
		return doctor.Wrong("key", "%s refuses the key: %s", url, e.Reason())
	case e.Class == docutray.Account:
		return doctor.Wrong("key", "%s: %s", url, e.Reason())
	case e.Class == docutray.Rate:
		return doctor.Wrong("service", "%s limits requests for now (%s): try again later", url, e.Reason())
	}
	return doctor.Wrong("service", "%s cannot be asked: %s; docusort waits until it can be", url, e.Reason())
}

func checkTypes(from settings.Source, wanted []string, types []docutray.DocumentType) doctor.Result {
	var missing, drafts, text []string
	for _, code := range wanted {
		i := slices.IndexFunc(types, func(t docutray.DocumentType) bool { return t.Code == code })
		if i < 0 {
			missing = append(missing, code)
		} else if t := types[i]; t.Draft || strings.EqualFold(t.Status, "draft") {
			drafts = append(drafts, code)
		}
	}
	if len(missing) > 0 {
		text = append(text, fmt.Sprintf("the account cannot see %s: correct DOCUSORT_DOCUMENT_TYPES ('%s' lists what there is), or make it in DocuTray",
			strings.Join(missing, ", "), from.Command("types")))
	}
	if len(drafts) > 0 {
		text = append(text, fmt.Sprintf("only a draft: %s: publish it in DocuTray, or leave it out of DOCUSORT_DOCUMENT_TYPES", strings.Join(drafts, ", ")))
	}
	if len(text) > 0 {
		return doctor.Wrong("types", "%s", strings.Join(text, "; "))
	}
	return doctor.OK("types", "%s: all there", strings.Join(wanted, ", "))
}
