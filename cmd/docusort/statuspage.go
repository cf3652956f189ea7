package main

import "docusort/cmd/docusort/internal/status"

// openStatusPage takes the address of the status page, if there is to be one.
func (d *daemon) openStatusPage() (err error) {
	if d.settings.HTTPAddr == "" {
		return nil
	}
	d.page, err = status.Listen(status.Config{
		Addr: d.settings.HTTPAddr, Database: d.settings.Database, Version: version, Commit: commit(),
		Logger: d.log, Meter: d.meter, PollMax: d.settings.PollMax,
	})
	return err
}
