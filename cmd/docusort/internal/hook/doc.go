// Package hook runs the user's program for each event: once per event, with the
// event as JSON on its standard input and in its environment.
//
// Events wait in the database, where each was stored together with the change that
// it reports, and are removed when the program ended with 0. So each is delivered at
// least once, whenever the daemon ends; a program that may have seen an event before
// compares its id. The events of one document are delivered in order, one at a time;
// those of four documents in parallel, and the next ones after all of these.
//
// The program is not run by a shell. It runs in /, with a small environment without
// the key, for at most 30 s; then it is killed with its process group. A failure is
// retried at growing pauses of up to an hour, for a week. While all runs fail, only
// one runs at a time. Nothing else waits for the hook.
package hook
