// Make writes the sample documents of testdata/inbox.
//
//	go run ./testdata/make            the documents that are made by Go alone
//	go run ./testdata/make -tools     those made with Debian's tools as well
//
// It always writes the same bytes: dates, identifiers and noise are fixed, and
// pictures are drawn with integers only, so that no processor rounds them its
// own way. The one thing outside its hands is the encoders: another Go release
// may compress differently. Documents made with outside tools are rewritten
// only on request, since another release of a tool may write them otherwise.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("make", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", filepath.FromSlash("testdata/inbox"), "the `folder` to write to")
	tools := flags.Bool("tools", false, "also make the documents that need ghostscript, rsvg-convert, qpdf, jpegtran and cwebp")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "make: takes no arguments, got %q\n", flags.Args())
		return 2
	}
	wanted := documents()
	if *tools {
		wanted = append(wanted, toolDocuments()...)
	}
	for _, d := range wanted {
		if err := write(*dir, d); err != nil {
			fmt.Fprintf(stderr, "make: %q: %v\n", d.path, err)
			return 1
		}
	}
	fmt.Fprintf(stdout, "%d documents in %s\n", len(wanted), *dir)
	return 0
}

func write(dir string, d document) error {
	data, err := d.make()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, filepath.FromSlash(d.path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}
