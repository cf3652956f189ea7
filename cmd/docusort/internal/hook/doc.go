// Package hook tells a program of the user's of what happens: one run for each
// event, with the event as JSON on its standard input and in its environment.
//
// The events wait in the record, where they were written together with what they
// tell of, and leave it when the program ended with 0. So each is told at least
// once, whenever the daemon ends; a program that is not sure whether it has seen
// one compares the event's id. The events of one document come one after the
// other, in order; those of different documents beside each other.
//
// The program is no shell's, runs in /, with a small environment that has no key
// in it, and has 30 s; then it is killed, with all that it started in its process
// group. What fails is tried again at growing pauses of up to an hour, for a week;
// while nothing but failures is seen, one at a time. Nothing else waits for it.
package hook
