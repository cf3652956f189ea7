// Package status shows over HTTP what the daemon does: a page that updates itself,
// metrics for Prometheus, and a health check for monitors.
//
//	/          the page, for people; ?window= says how far back, and with ?state=,
//	           ?type=, ?name= or ?page= it is a list of documents
//	/events    what changed on it, as server-sent events
//	/healthz   200; or 503 with the reason on hold, or when nothing goes on
//	/metrics   for Prometheus
//
// [Listen] takes the address, [Server.Run] serves it. Everything is read-only and
// comes from the database, through readers of its own. However many ask, the
// database is read once a second at most for a page, for a tenth of the time at most,
// and for half of it for all the pages that people may ask for; never while nobody asks.
//
// The page trusts nothing that it shows. The browser may fetch from this server
// alone, and run the one script that comes from it. The server refuses a request
// whose Host is neither a loopback host nor the configured one, so that a page from
// elsewhere, with a name that was made to point here, gets nothing.
package status
