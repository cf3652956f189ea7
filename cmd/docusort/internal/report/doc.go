// Package report shows what docusort did and what it is doing: as a table for
// people, as JSON for programs, as CSV for spreadsheets, and as a page with plots
// for browsers and printers.
//
// [Write] renders one [store.Reader], which is one moment of the database. All
// forms say the same, except CSV, which is the documents alone. The forms for
// people begin with what a person wants first: does the daemon run, is anything
// wrong, how much is in progress, what was filed where, what failed and what waits,
// and why.
//
// Documents are written as they are read, so a database of millions needs no more
// memory than an empty one. An error cuts the output short: it is then incomplete,
// and as JSON not valid, so that nobody takes it for the whole.
//
// Names of files and answers of the service appear in the notation of package
// display, and cannot break the output or control a terminal.
package report
