package main

import (
	"context"
	"os"

	"docusort/cmd/docusort/internal/hook"
	"docusort/cmd/docusort/internal/settings"
)

// checkHook looks at the start whether there is such a program: that nobody is
// told of anything would be noticed late.
func checkHook(s *settings.Settings) error {
	if s.Hook == "" {
		return nil
	}
	if err := hook.Check(s.Hook); err != nil {
		return settings.Problems{{Name: "DOCUSORT_HOOK", Text: err.Error()}}
	}
	return nil
}

// started records the start of a run, and who is told of its events.
func (d *daemon) started(ctx context.Context) error {
	dropped, err := d.store.Listen(ctx, d.settings.Hook != "")
	if err != nil {
		return err
	}
	if dropped > 0 {
		d.log.Warn("there is no hook any more; what it was not told of is dropped", "events", dropped)
	}
	if d.settings.Hook != "" {
		d.hook = &hook.Runner{
			Program: d.settings.Hook, Store: d.store, Logger: d.log, Grace: d.settings.ShutdownGrace,
			Path: os.Getenv("PATH"),
		}
	}
	return d.store.Started(ctx, os.Getpid())
}
