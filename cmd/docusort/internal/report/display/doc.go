// Package display writes names of files, counts, durations and times as people
// read them, as text of a known width.
//
// Anybody who may drop a file into the inbox chooses names, and a service on the
// network writes reasons. Neither may break the output, or move, recolour or
// deceive a terminal. All forms of output use one notation:
//
//	\xNN stands for the byte NN, in lower-case hexadecimal digits
//
// A backslash that would otherwise begin such a sequence is written as \x5c.
// Replacing every \xNN by its byte therefore gives the name back exactly, and a
// name that needs no escaping stays as it is. bash reads the same notation in
// $'…'.
//
//   - [Name] escapes what is not UTF-8, for programs.
//   - [Line] also escapes what breaks a line, for programs that read lines.
//   - [Printable] also escapes what a terminal does not show as it is: control,
//     direction-changing and invisible characters, spaces at either end, the second
//     of two spaces, and the arrow that the report puts between two names.
//   - [Text] and [Prose] do the same as Name and Printable for reasons, where
//     nobody needs the bytes back: backslashes stay, and Prose is one line.
//
// Letters that are written from right to left stay as they are. A terminal that
// reorders them may show the rest of their line reordered.
package display
