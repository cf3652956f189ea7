package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"docusort/cmd/docusort/internal/doctor"
	"docusort/cmd/docusort/internal/hook"
	"docusort/cmd/docusort/internal/settings"
)

// checkHook finds out at the start whether the hook can be run: a missing event
// would be noticed late.
func checkHook(s *settings.Settings) error {
	if s.Hook == "" {
		return nil
	}
	if err := hook.Check(s.Hook); err != nil {
		return s.Refuse("DOCUSORT_HOOK", err.Error())
	}
	return nil
}

// checkUnit finds out at the start whether the unit lets docusort write to its folders:
// what it keeps read-only stays so until the service is started anew.
func checkUnit(s *settings.Settings) error {
	if os.Getenv("INVOCATION_ID") == "" {
		return nil // not a unit of systemd
	}
	closed := doctor.Doctor{Settings: s}.ClosedByUnit()
	if len(closed) == 0 {
		return nil
	}
	name := "DOCUSORT_DATABASE"
	switch {
	case slices.Contains(closed, s.Inbox):
		name = "DOCUSORT_INBOX"
	case slices.Contains(closed, s.Sorted):
		name = "DOCUSORT_SORTED"
	}
	return s.Refuse(name, doctor.Remedy(s.Unit(), closed))
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
		return d.settings.Refuse(name, fmt.Sprintf("%q is not a folder: name another one, or move what is there away", path))
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
	return os.MkdirAll(path, settings.FolderMode)
}
