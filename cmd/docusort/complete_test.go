package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"docusort/store"
)

// A shell offers what there is: states and formats, and the types that the
// database knows.
func TestFlagValuesAreCompleted(t *testing.T) {
	dir := fastDir(t)
	environ := []string{"DOCUSORT_DATABASE=" + filepath.Join(dir, "docusort.db")}
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, "docusort.db")})
	noErr(t, err)
	for i, kind := range []string{"invoice", "inventory", "receipt", "in\x1b[2Jvisible"} {
		got, err := s.Admit(ctx, store.Admission{
			Inbox: store.Folder{Path: "/in"}, Source: kind, SHA256: []byte(strings.Repeat(string(rune('a'+i)), 32)),
			Options: []string{"invoice"}, Identity: store.Identity{Inode: uint64(i)},
		})
		noErr(t, err)
		noErr(t, s.Submitting(ctx, got.ID, []string{"invoice"}))
		noErr(t, s.Accepted(ctx, got.ID, "job"+kind))
		noErr(t, s.Identified(ctx, got.ID, store.Answer{Type: kind, Confidence: 1, Outcome: store.Filed}))
		_, err = s.Target(ctx, []store.Targeted{{ID: got.ID, Sorted: "/sorted", Target: kind}})
		noErr(t, err)
		noErr(t, s.Moved(ctx, []int64{got.ID}))
	}
	noErr(t, s.Close())
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
