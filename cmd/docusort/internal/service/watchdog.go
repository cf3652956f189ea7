package service

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Check names a part of the daemon that has been busy with one thing for longer
// than limit; "" means that there is none.
type Check func(limit time.Duration) string

// Watchdog feeds the watchdog of the service manager while all checks pass,
// three times as often as the manager requires. When one fails for long enough,
// the manager acts. Watchdog returns nil when ctx is done, or at once where
// there is no watchdog.
func (m *Manager) Watchdog(ctx context.Context, checks ...Check) error {
	if m.watchdog <= 0 {
		return nil
	}
	pause := m.watchdog / 3
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	logged := ""
	for {
		late := firstLate(checks, pause)
		if ctx.Err() != nil {
			return nil
		}
		if late == "" {
			m.tell(daemon.SdNotifyWatchdog)
		} else if late != logged {
			m.log.Warn("a part of the daemon does not answer", "part", late)
		}
		logged = late
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// firstLate returns what the first check that fails names.
func firstLate(checks []Check, limit time.Duration) string {
	for _, check := range checks {
		if late := check(limit); late != "" {
			return late
		}
	}
	return ""
}
