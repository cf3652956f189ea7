// Package service tells systemd how the daemon is: that it is ready, what it is
// doing, that it stops and, for the watchdog, that it is alive. Where no service
// manager listens, as in a shell, it does nothing.
//
// [Manager.Watchdog] feeds the watchdog only while no loop of the daemon is late, so
// that systemd restarts a daemon in which a single loop hangs. [Manager.ShowStatus] keeps the line of `systemctl status` up
// to date: it is woken by changes, looks at most once a second, and does nothing at
// rest.
//
// The protocol is that of sd_notify(3).
package service
