// Package web is what the HTML report and the status page have in common: the
// numbers, plots and lists of an [Overview], the events of a [Document], their
// templates and their style sheet.
//
// html/template escapes everything. There is one style sheet and no script. Names of
// files appear in the notation of package display, isolated from the text direction
// around them.
package web
