// Package progress shows how far a batch of documents has come, in the last
// line of a terminal.
//
// One [Line] owns that line. Whatever else is written to the same terminal goes
// through [Line.Writer], which takes the line away, writes, and puts it back, so
// that logs and progress never mix. Where there is no terminal, nothing is
// drawn and the writer hands everything on as it is.
package progress
