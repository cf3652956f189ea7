// Package web is what the HTML report and the status page have in common: what
// they say of the record, how it looks, and how the story of a document is told.
//
// Everything is HTML that html/template has escaped, with one style sheet and
// without a script. Names of files are shown in the notation of package display
// and isolated from the direction of what surrounds them.
package web
