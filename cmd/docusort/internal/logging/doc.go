// Package logging makes the program's logger: coloured for people at a
// terminal, plain for files and pipes, JSON for machines, and with priorities
// for the systemd journal.
//
// Whatever the format, one event is one line, and what comes from outside (file
// names, answers of the service) cannot change that, nor move a terminal's
// cursor: control characters and what is not UTF-8 are escaped.
package logging
