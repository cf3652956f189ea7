package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"

	"golang.org/x/sys/unix"
)

func (d Doctor) database(ctx context.Context, r *store.Reader, openErr error) Result {
	switch {
	case errors.Is(openErr, store.ErrNoDatabase):
		return OK("database", "%s is not there yet: it is made when docusort run first starts", d.Database)
	case errors.Is(openErr, fs.ErrPermission) && d.foreign():
		return Wrong("database", "%v; run '%s' as root", openErr, d.Command("doctor"))
	case openErr != nil:
		return Wrong("database", "%v", openErr)
	}
	if err := r.Check(ctx); err != nil {
		return Wrong("database", "%v", err)
	}
	for _, path := range []string{d.Database, d.Database + "-wal", d.Database + "-shm", d.Database + "-lock"} {
		err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
		if err != nil && !errors.Is(err, unix.ENOENT) && !d.foreign() {
			return Wrong("database", "%s cannot be written to by user %d: %v; give it to the user that docusort runs as", path, os.Geteuid(), err)
		}
	}
	daemon, err := r.Daemon(ctx)
	if err == nil {
		err = r.Blocked(daemon.PID)
	}
	switch {
	case err != nil:
		return Wrong("database", "%v", err)
	case r.LargeWAL() > 0:
		return Wrong("database", "%s-wal has %s, and grows as long as a program keeps a read transaction open: "+
			"'fuser -v %s-shm', run as root, shows which: end it", d.Database, display.Size(r.LargeWAL()), d.Database)
	case !daemon.Running && d.Watched:
		return Wrong("inbox", "another docusort, with another database, watches %s: stop it, or give each an inbox of its own", d.Inbox)
	case daemon.Running:
		return OK("database", "%s is whole; the daemon runs", d.Database)
	}
	return OK("database", "%s is whole; no daemon runs", d.Database)
}

// work finds what keeps documents from being filed, as the report has it.
func (d Doctor) work(ctx context.Context, r *store.Reader) (results []Result) {
	if r == nil {
		return nil
	}
	daemon, err := r.Daemon(ctx)
	if h := daemon.Hold; err == nil && daemon.Running && h != nil && h.Kind != store.HoldRate {
		results = append(results, Wrong("work", "on hold (%s): %s", h.Kind, h.Reason))
	}
	if stuck, err := r.Stuck(ctx); err == nil && stuck > 0 {
		results = append(results, Wrong("work", "%d stuck: '%s' says which documents, and why", stuck, d.Command("report --documents")))
	}
	return results
}
