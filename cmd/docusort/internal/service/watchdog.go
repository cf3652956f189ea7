package service

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// LateAfter is how long a loop may take for one round before a check of
// [Manager.Watchdog] should report it.
func (m *Manager) LateAfter() time.Duration { return m.watchdog / 3 }

// Watchdog tells the service manager that the daemon is alive, three times as often
// as the manager asks for, until ctx is done. Each check returns "" or the name of a
// loop that is late; while any does, the manager is told nothing, and ends the
// process after its timeout. Where there is no watchdog, Watchdog returns at once.
func (m *Manager) Watchdog(ctx context.Context, checks []func() string) error {
	if m.watchdog <= 0 {
		return nil
	}
	ticker := time.NewTicker(m.watchdog / 3)
	defer ticker.Stop()
	for logged := ""; ; {
		switch late := firstLate(checks); {
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

func firstLate(checks []func() string) string {
	for _, check := range checks {
		if late := check(); late != "" {
			return late
		}
	}
	return ""
}
