// Package service tells systemd how the daemon is: that it is ready, what it
// does at the moment, that it stops, and, for the watchdog, that it is alive.
// Where nobody asked to be told, as in a shell, it does nothing.
//
// A [Manager] is the other end of the conversation. [Manager.Watchdog] asks each
// loop that does the work whether it is late, and tells systemd that the daemon is
// alive while none is. It has no opinion of its own: one loop that stands still is
// enough for systemd to end the process and start it anew. [Manager.Show]
// keeps the line up to date that `systemctl status` shows; it is woken by
// changes, looks at most once a second, and does nothing at rest.
//
// The protocol is that of sd_notify(3).
package service
