package service

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is the service manager that started this process, if there is one. Its
// methods may be called from any goroutine.
type Manager struct {
	log      *slog.Logger
	notify   func(message string) (sent bool, err error)
	absent   bool          // no manager listens
	watchdog time.Duration // 0: none

	mu     sync.Mutex
	failed bool // the last message could not be sent
}

// New finds the service manager in the environment of the process.
func New(log *slog.Logger) *Manager {
	m := &Manager{
		log: log, absent: os.Getenv("NOTIFY_SOCKET") == "",
		notify: func(message string) (bool, error) { return daemon.SdNotify(false, message) },
	}
	var err error
	if m.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("the watchdog setting of the service manager is not understood; the watchdog is not fed", "err", err)
	}
	return m
}

// Ready says that the work has begun, or that a reload is done.
func (m *Manager) Ready() { m.send(daemon.SdNotifyReady) }

// Reloading says that a reload has begun; Ready ends it.
func (m *Manager) Reloading() {
	m.send(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// Stopping says that the daemon stops, and how long that may take, so that the
// manager does not cut it short.
func (m *Manager) Stopping(within time.Duration) {
	m.send(daemon.SdNotifyStopping + "\nEXTEND_TIMEOUT_USEC=" + strconv.FormatInt(within.Microseconds(), 10))
}

// send sends a message. It logs the first of several failures.
func (m *Manager) send(message string) {
	_, err := m.notify(message)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil && !m.failed {
		m.log.Warn("the service manager cannot be notified", "err", err)
	}
	m.failed = err != nil
}

// Watchdog tells the service manager that the daemon is alive, three times as often
// as the manager asks for, until ctx is done. While late names a loop that has not
// gone round for longer than limit although it has work, the manager is told nothing,
// and ends the process after its timeout. Where there is no watchdog, Watchdog returns
// at once.
func (m *Manager) Watchdog(ctx context.Context, late func(limit time.Duration) string) {
	if m.watchdog <= 0 {
		return
	}
	limit := m.watchdog / 3
	ticker := time.NewTicker(limit)
	defer ticker.Stop()
	for logged := ""; ; {
		switch loop := late(limit); {
		case ctx.Err() != nil:
			return
		case loop == "":
			m.send(daemon.SdNotifyWatchdog)
			logged = ""
		case loop != logged:
			m.log.Warn("a loop is late; the watchdog is not fed", "loop", loop)
			logged = loop
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
