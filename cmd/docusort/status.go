package main

import (
	"context"

	"docusort/cmd/docusort/internal/status"
)

// openStatus takes the address of the status page, where there is to be one.
func (d *daemon) openStatus() (err error) {
	if d.settings.HTTPAddr == "" {
		return nil
	}
	d.page, err = status.Listen(status.Config{
		Addr: d.settings.HTTPAddr, Database: d.settings.Database, Version: version, Commit: commit(),
		Logger: d.log, Meter: d.meter, PollMax: d.settings.PollMax,
	})
	return err
}

// serveStatus serves the page until ctx is done.
func (d *daemon) serveStatus(ctx context.Context) error {
	if d.page == nil {
		return nil
	}
	return d.page.Run(ctx)
}

// closeStatus gives up the address of a page that was not served to its end.
func (d *daemon) closeStatus() {
	if d.page != nil {
		_ = d.page.Close()
	}
}
