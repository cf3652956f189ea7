package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"docusort/cmd/docusort/internal/hook"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// checkHook finds out at the start whether the hook can be run: a missing event
// would be noticed late.
func checkHook(s *settings.Settings) error {
	if s.Hook == "" {
		return nil
	}
	if err := hook.Check(s.Hook); err != nil {
		return settings.Problems{{Name: "DOCUSORT_HOOK", Text: err.Error()}}
	}
	return nil
}

// makeFolders makes the inbox and the sorted folder at the first run.
func (d *daemon) makeFolders(ctx context.Context) error {
	return errors.Join(d.makeFolder(ctx, "DOCUSORT_INBOX", d.settings.Inbox), d.makeFolder(ctx, "DOCUSORT_SORTED", d.settings.Sorted))
}

// makeFolder makes a folder that was never there. One that was there before and is
// missing may be a filesystem that is not mounted: it is waited for and never made,
// because what is put there would vanish under the mount.
func (d *daemon) makeFolder(ctx context.Context, name, path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && !info.IsDir():
		return settings.Problems{{Name: name, Text: fmt.Sprintf("%q is not a folder: name another one, or move what is there away", path)}}
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", name, err)
	}
	known, err := d.store.KnowsFolder(ctx, path)
	if err != nil {
		return err
	}
	if known {
		d.log.Warn("a folder that was there before is missing; waiting for it", "path", path)
		return nil
	}
	return os.MkdirAll(path, 0o775)
}

// recordStart records the start of a run, and whether events are kept for a hook.
func (d *daemon) recordStart(ctx context.Context) error {
	dropped, err := d.store.Listen(ctx, d.hook != nil)
	if err != nil {
		return err
	}
	if dropped > 0 {
		d.log.Warn("there is no hook any more; the events for it are dropped", "events", dropped)
	}
	return d.store.Started(ctx, os.Getpid())
}

// recordStop records the end of a run in good order, if the disk allows it.
func (d *daemon) recordStop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := d.store.Stopped(ctx)
	if store.DiskTrouble(err) {
		d.log.Warn("the end of the run could not be recorded", "err", err)
		return nil
	}
	return err
}

// retryDisk does at the start what needs the disk of the database. The daemon waits
// while that disk is full, as it does later: a service manager would have given up
// restarting it by the time there is room.
func (d *daemon) retryDisk(ctx context.Context, do func(context.Context) error) error {
	if !d.waitsForDisk {
		return do(ctx)
	}
	return store.WaitForDisk(ctx, d.log, do)
}

// wasStopped reports whether err only says that ctx was cancelled.
func wasStopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}
