// Package wording says in words what the database holds: how the daemon is, what
// it waits for, how many documents there are and why some failed. Every form of
// the report and the status page take their words from here, so that all of them
// say the same.
package wording
