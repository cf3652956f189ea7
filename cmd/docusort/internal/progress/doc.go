// Package progress shows how far a batch of documents has come, in the last line
// of a terminal.
//
// One [Line] owns that line. Whatever else goes to the same terminal goes through
// [Line.Writer], which removes the line, writes, and puts it back, so that logs and
// progress never mix. Where there is no terminal, nothing is drawn, and the writer
// passes everything on.
package progress
