// Package service tells systemd how the daemon is: that it is ready, what it
// does at the moment, that it stops, and, for the watchdog, that it is alive.
// Where nobody asked to be told, as in a shell, it does nothing.
//
// A [Manager] is the other end of the conversation. [Manager.Watchdog] is fed by
// the loops that do the work: it asks each of them, and tells systemd only when
// all have answered. It has no opinion of its own, so one loop that stands still
// is enough for systemd to end the process, and start it anew. [Manager.Show]
// keeps the line up to date that `systemctl status` shows; it is woken by
// changes, looks at most once a second, and does nothing at rest.
//
// The protocol is that of sd_notify(3).
package service
