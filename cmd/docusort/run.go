package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"docusort/cmd/docusort/internal/logging"
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
		RunE: func(cmd *cobra.Command, _ []string) error {
			started := p.tellSlowStart()
			s, err := load(settings.NeedKey | settings.NeedTypes | settings.NeedFolders)
			started()
			if err != nil {
				return err
			}
			if once {
				return p.runOnce(cmd.Context(), s)
			}
			return p.runDaemon(cmd.Context(), s)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "file what is in the inbox now, and exit")
	return cmd
}

// runDaemon runs until ctx is done, which is no error, not even during the start.
func (p program) runDaemon(ctx context.Context, s *settings.Settings) (err error) {
	// Go ends a program that writes to a standard error that nobody reads any more, as after
	// a stop of the journal, unless it wants to be told. systemd takes that for a good end.
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE)
	defer signal.Stop(unread)
	log := p.logger(p.stderr, s)
	d, err := p.newDaemon(ctx, s, log, true)
	if wasStopped(ctx, err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.openStatusPage(); err != nil {
		return err
	}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	if s.KeyExposed != "" {
		log.Warn("others than its owner can read the file with the API key; keep the key in a file of its own, of mode 600",
			"path", s.KeyExposed)
	}
	log.Info("started", "version", version, "inbox", s.Inbox, "sorted", s.Sorted, "database", s.Database)
	if err := d.run(ctx, reload); err != nil && !wasStopped(ctx, err) {
		return fmt.Errorf("run: %w", err)
	}
	log.Info("stopped")
	return nil
}

// logger makes the logger that writes to w, which leads to stderr.
func (p program) logger(w io.Writer, s *settings.Settings) *slog.Logger {
	format := s.LogFormat
	if f, ok := p.stderr.(*os.File); ok {
		format = logging.ForJournal(format, f, p.getenv("JOURNAL_STREAM"))
	}
	return logging.New(w, format, s.LogLevel, isTerminal(p.stderr), p.getenv("NO_COLOR") != "")
}
