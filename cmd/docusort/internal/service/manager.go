package service

import (
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is the service manager that started this process, or nobody. Its
// methods may be called from any goroutine.
type Manager struct {
	log      *slog.Logger
	notify   func(message string) (sent bool, err error)
	nobody   bool          // wants to be told
	watchdog time.Duration // 0: there is none

	mu     sync.Mutex
	failed bool // the last message could not be sent
}

// New finds out from the environment of the process who started it.
func New(log *slog.Logger) *Manager {
	m := &Manager{
		log: log, nobody: os.Getenv("NOTIFY_SOCKET") == "",
		notify: func(message string) (bool, error) { return daemon.SdNotify(false, message) },
	}
	var err error
	if m.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("the service manager's watchdog is not understood, and not fed", "err", err)
	}
	return m
}

// Ready says that the work has begun, or that what [Manager.Reloading] began is
// done.
func (m *Manager) Ready() { m.tell(daemon.SdNotifyReady) }

// Reloading says that something is done anew; Ready ends it.
func (m *Manager) Reloading() {
	m.tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// Stopping says that the work ends, and how long that may take at the most, so
// that nobody cuts short what the user's own settings allow.
func (m *Manager) Stopping(within time.Duration) {
	m.tell(daemon.SdNotifyStopping + "\nEXTEND_TIMEOUT_USEC=" + strconv.FormatInt(within.Microseconds(), 10))
}

// Status shows a line to people. Line breaks in it become spaces.
func (m *Manager) Status(line string) {
	m.tell("STATUS=" + strings.Join(strings.FieldsFunc(line, func(r rune) bool { return r == '\n' || r == '\r' }), " "))
}

// tell sends a message. That it cannot be sent is logged once, as long as it
// lasts.
func (m *Manager) tell(message string) {
	_, err := m.notify(message)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil && !m.failed {
		m.log.Warn("the service manager cannot be told how the daemon is", "err", err)
	}
	m.failed = err != nil
}
