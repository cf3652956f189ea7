package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"docusort/cmd/docusort/internal/logging"
	"docusort/cmd/docusort/internal/progress"
	"docusort/cmd/docusort/internal/settings"

	"github.com/spf13/cobra"
)

func (p program) runCommand(load loader) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "watch the inbox and file what is dropped there",
		Long: "run is the daemon: it watches the inbox, submits, polls and files until SIGTERM or\n" +
			"SIGINT. With --once it does the same for what is in the inbox now, and exits: with 0\n" +
			"when all of it is filed or in review, with 3 when some failed or are left.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := load(settings.NeedKey | settings.NeedTypes)
			if err != nil {
				return err
			}
			line := progress.New(p.stderr, once && isTerminal(p.stderr))
			defer line.Finish()
			if once {
				s.Settle = min(s.Settle, onceSettle)
			}
			d, err := newDaemon(cmd.Context(), s, p.logger(line.Writer(), s), p.seams, !once)
			if err != nil {
				return stoppedEarly(cmd.Context(), once, err)
			}
			defer func() { err = errors.Join(err, d.close()) }()
			if once {
				return d.once(cmd.Context(), line)
			}
			if err := d.openStatus(); err != nil {
				return err
			}
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			d.log.Info("docusort runs", "version", version, "inbox", s.Inbox, "sorted", s.Sorted, "database", s.Database)
			err = stoppedEarly(cmd.Context(), false, d.run(cmd.Context(), reload))
			if err != nil {
				return fmt.Errorf("run: %w", err)
			}
			d.log.Info("docusort stopped")
			return nil
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "file what is in the inbox now, and exit")
	return cmd
}

// logger makes the logger for what is shown on w, which leads to stderr.
func (p program) logger(w io.Writer, s *settings.Settings) *slog.Logger {
	format := s.LogFormat
	if f, ok := p.stderr.(*os.File); ok {
		format = logging.ForJournal(format, f, p.getenv("JOURNAL_STREAM"))
	}
	return logging.New(w, format, s.LogLevel, isTerminal(p.stderr), p.getenv("NO_COLOR") != "")
}
