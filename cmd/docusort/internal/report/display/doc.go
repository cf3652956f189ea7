// Package display turns what docusort knows into what people read: names of
// files, counts, durations and times, as text of a known width.
//
// Names come from whoever may drop a file into the inbox, and reasons from a
// service on the network. Neither may break the output, move a terminal's
// cursor, recolour it or pass for something else. One way of escaping serves
// everywhere:
//
//	\xNN stands for the byte NN, in lower-case hexadecimal digits
//
// and a backslash that would otherwise begin such a sequence is itself written
// \x5c. So whoever replaces every \xNN by its byte has the name again, exactly,
// whatever it holds, and a name that needs no escaping stays as it is, other
// backslashes included. bash reads the same notation in $'…'.
//
// [Name] escapes what is not UTF-8, for machines; [Line] also what breaks a line,
// for machines that read lines. [Printable] also escapes what
// a terminal would not show as one sees it: control and direction-changing
// characters, invisible ones, spaces at either end, the second of two spaces,
// and the arrow that the report puts between two names. [Prose] makes one line
// of a reason.
//
// What remains: letters that are written from right to left stay as they are,
// and a terminal that reorders them may show the rest of their line reordered.
package display
