package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A shell offers what there is: states and formats, and the types that the
// database knows.
func TestFlagValuesAreCompleted(t *testing.T) {
	dir := fastDir(t)
	environ := []string{"DOCUSORT_DATABASE=" + filepath.Join(dir, "docusort.db")}
	makeDatabase(t, filepath.Join(dir, "docusort.db"), "invoice", "inventory", "receipt", "in\x1b[2Jvisible")
	for args, want := range map[string]string{
		"--type in":     "inventory\ninvoice\n:4\n",
		"--state ":      "waiting\nsubmitting\npending\nidentified\nfiled\nreview\nfailed\ngone\n:4\n", // the shell chooses
		"--format ":     "table\njson\ncsv\nhtml\n:4\n",
		"--type absent": ":4\n",
	} {
		flag, begun, _ := strings.Cut(args, " ")
		got := runWith(environ, "__complete", "report", flag, begun)
		if got.code != exitDone || got.stdout != want {
			t.Errorf("%s: %d %q, want %q; %s", args, got.code, got.stdout, want, got.stderr)
		}
	}
	if got := runWith([]string{"DOCUSORT_DATABASE=" + filepath.Join(dir, "none.db")}, "__complete", "report", "--type", ""); got.stdout != ":4\n" {
		t.Errorf("without a database: %q", got.stdout)
	}
}
