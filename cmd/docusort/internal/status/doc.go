// Package status serves what the daemon does over HTTP: a page that follows by
// itself, metrics for Prometheus, and a word on health for monitors.
//
//	/          the page, for people; ?window= says how far back
//	/events    what changed on it, as server-sent events
//	/healthz   200, or 503 with the reason on hold or when nothing goes on
//	/metrics   for Prometheus
//
// [Listen] takes the address, [Server.Run] serves it. Everything is read-only and
// comes from the record, through readers of its own; whatever is asked, and by how
// many, the record is read once a second at the most and for a tenth of the time
// at the most, and not at all while nobody asks.
//
// The page trusts nothing that it shows, and a browser is told to: it may fetch
// from here alone and run the one script that comes from here. A request whose
// Host names neither a loopback host nor the configured one is refused, so that a
// page from elsewhere whose name was made to point here gets nothing.
package status
