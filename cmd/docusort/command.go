package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/logging"
	"docusort/cmd/docusort/internal/settings"
	"docusort/cmd/internal/manual"
	"docusort/pipeline"
	"docusort/store"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit codes (SPEC, "Commands").
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitLeft     = 3  // run --once left documents unfiled
	exitSettings = 78 // EX_CONFIG of sysexits(3); the unit does not restart on it
)

// program is what the process was started with. Results go to stdout, logs and
// progress to stderr.
type program struct {
	args           []string
	environ        []string
	stdout, stderr io.Writer
	setUser        func(uid, gid int) error // see becomeOwner; nil: not, as tests share their process
	lastResort     *lastResort              // nil: none, as tests share their process
	hooks          testHooks
}

// testHooks let tests end a daemon at a step, or make an operation fail.
type testHooks struct {
	step  func(pipeline.Step)              // see pipeline.Config
	file  func(op string, done bool) error // see filing.Options
	store func(op string) error            // see store.Config

	jobPause  time.Duration // see pipeline.Config
	hangAfter time.Duration // 0: as a constant says
}

type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

var errLeft = errors.New("some documents were not filed")

// run is the whole program. It ends early when ctx is done.
func run(ctx context.Context, p program) int {
	root := p.rootCommand()
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	checkArguments(root)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if message := err.Error(); message != "" {
		prefix := "docusort: "
		if f, ok := p.stderr.(*os.File); ok && logging.ToJournal(f, p.getenv("JOURNAL_STREAM")) {
			prefix = logging.JournalError + prefix
		}
		fmt.Fprintln(p.stderr, prefix+strings.ReplaceAll(message, "\n", "\n"+prefix))
	}
	return exitCode(err)
}

// exitCode is the one place that turns an error into an exit code.
func exitCode(err error) int {
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errLeft):
		return exitLeft
	case errors.As(err, new(settings.Problems)), errors.Is(err, store.ErrUnusable):
		return exitSettings
	}
	return exitFailed
}

func (p program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "docusort",
		Short: "file the documents of an inbox by the type that DocuTray identifies",
		Long: "docusort watches an inbox folder, has every new document's type identified by the\n" +
			"DocuTray API, and files the document in a folder named after that type.\n\n" +
			"Settings are environment variables, or NAME=value lines of a file; config.example.env\n" +
			"lists them all.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nRun '%s --help' for what it takes", err, cmd.CommandPath())}
	})
	root.Version = versions()
	root.SetVersionTemplate("{{.Version}}")
	root.SuggestionsMinimumDistance = 2
	var from settings.Source
	root.PersistentFlags().Var(argument{&from.Config, "file"}, "config",
		"read settings from this file (default "+settings.DefaultConfigFile+" if it exists)")
	root.PersistentFlags().Var(argument{&from.Instance, "name"}, "instance",
		"the settings, folders and key of docusort@NAME, from /etc/docusort/NAME.env")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if err := from.Check(); err != nil {
			return usageError{err}
		}
		return nil
	}
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Example = strings.ReplaceAll(cmd.Example, "  docusort ", "  "+from.Command(""))
		help(cmd, args)
	})
	load := loader(func(need settings.Need) (*settings.Settings, error) { return settings.Load(p.environ, from, need) })
	root.AddCommand(p.runCommand(load), p.reportCommand(load), p.retryCommand(load), p.refileCommand(load), p.relocateCommand(load), p.doctorCommand(load),
		p.typesCommand(load), p.demoCommand(), p.versionCommand(), statesTopic(), manual.Command("docusort "+version, manualPages))
	return root
}

// argument is the value of a flag, of a kind that help shows. (A kind between backticks
// in the usage would show in completions.)
type argument struct {
	value *string
	kind  string
}

func (a argument) String() string { return *a.value }
func (a argument) Type() string   { return a.kind }

// Set refuses what a script that forgot to set a variable gives: the settings would be
// those of another docusort.
func (a argument) Set(value string) error {
	if value == "" {
		return errors.New("it is empty")
	}
	*a.value = value
	return nil
}

type loader func(settings.Need) (*settings.Settings, error)

// command returns a command line of docusort that has the same settings.
func (load loader) command(words string) string {
	s, _ := load(0)
	return s.Command(words)
}

func (load loader) openReader(ctx context.Context) (*store.Reader, *settings.Settings, error) {
	s, err := load(0)
	if err != nil {
		return nil, nil, err
	}
	r, err := store.OpenReader(ctx, s.Database)
	return r, s, hintAtConfig(s, err)
}

// hintAtConfig adds to the error of a database that cannot be opened that the
// settings file, which was not read, may name another one.
func hintAtConfig(s *settings.Settings, err error) error {
	if err == nil || s.ConfigSkipped == nil {
		return err
	}
	return fmt.Errorf("%w\nThe settings may name another one: %w", err, s.ConfigSkipped)
}

// noArguments refuses arguments, and with them commands that do not exist.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		text := fmt.Sprintf("there is no command %q", args[0])
		if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
			text += "; did you mean " + strings.Join(like, ", ") + "?"
		}
		return usageError{fmt.Errorf("%s\nRun '%s --help' for those there are", text, cmd.CommandPath())}
	}
	return usageError{fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), args)}
}

// checkArguments has cobra's own commands refuse wrong arguments as the others do. It is for
// a root that has its streams: the completion commands take them when they are made.
func checkArguments(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, topic []string) error {
				if _, rest, err := root.Find(topic); err != nil || len(rest) > 0 {
					return noArguments(root, []string{strings.Join(topic, " ")})
				}
				return nil
			}
		case "completion":
			cmd.Args, cmd.RunE = noArguments, root.RunE
			for _, shell := range cmd.Commands() {
				shell.Args = noArguments
			}
		}
	}
}

func (p program) getenv(name string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// color reports whether to write to w in colour.
func (p program) color(w io.Writer) bool { return isTerminal(w) && p.getenv("NO_COLOR") == "" }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width returns the columns of a terminal, or 0 where w is not one.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 0
}
