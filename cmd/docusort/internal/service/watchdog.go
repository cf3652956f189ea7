package service

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Check names a loop that has not gone round for longer than limit although it has
// work; "" where there is none.
type Check func(limit time.Duration) string

// Watchdog tells the service manager that the daemon is alive, three times as often
// as the manager asks for, until ctx is done. While any check names a loop, the
// manager is told nothing, and ends the process after its timeout. Where there is no
// watchdog, Watchdog returns at once.
func (m *Manager) Watchdog(ctx context.Context, checks ...Check) error {
	if m.watchdog <= 0 {
		return nil
	}
	limit := m.watchdog / 3
	ticker := time.NewTicker(limit)
	defer ticker.Stop()
	for logged := ""; ; {
		switch late := firstLate(checks, limit); {
		case ctx.Err() != nil:
			return nil
		case late == "":
			m.send(daemon.SdNotifyWatchdog)
			logged = ""
		case late != logged:
			m.log.Warn("a loop is late; the watchdog is not fed", "loop", late)
			logged = late
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func firstLate(checks []Check, limit time.Duration) string {
	for _, check := range checks {
		if late := check(limit); late != "" {
			return late
		}
	}
	return ""
}
