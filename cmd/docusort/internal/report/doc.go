// Package report shows the record of docusort, what happened and what is going
// on: as a table for people, as JSON for programs, as CSV for spreadsheets, and
// as a page with plots for browsers and printers.
//
// [Write] renders one [store.Reader], which is one moment of the record. All
// forms say the same, but CSV, which is the documents alone. What is for people
// leads with what a person wants first: does the daemon run, is anything wrong,
// how much is under way, what was filed where, what failed and what waits, and
// why.
//
// Documents are written as they are read, so that a record of millions needs no
// more memory than an empty one. An output that was cut short by an error is
// therefore incomplete, and as JSON not valid: nobody takes it for the whole.
//
// Names of files and answers of the service are shown in the notation of
// package display, and cannot break the output or steer a terminal.
package report
