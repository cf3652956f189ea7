// Package logging makes the program's logger: coloured for people at a terminal,
// plain for files and pipes, JSON for machines, and with priorities for the
// systemd journal.
//
// One event is one line in every format. File names and answers of the service
// cannot break a line or move a terminal's cursor: control characters and bytes
// that are not UTF-8 are escaped.
package logging
