package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"docusort/testdata"
)

// madeWith is the Go release whose encoders wrote the samples.
const madeWith = "go1.26"

func TestSameBytesAgain(t *testing.T) {
	if !strings.HasPrefix(runtime.Version(), madeWith) {
		t.Skipf("the samples were made with %s; the encoders of %s may compress otherwise", madeWith, runtime.Version())
	}
	for _, d := range documents() {
		got, err := d.make()
		if err != nil {
			t.Errorf("%q: %v", d.path, err)
			continue
		}
		want, err := fs.ReadFile(testdata.Inbox(), d.path)
		if err != nil {
			t.Errorf("%q: %v", d.path, err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q: made %d bytes, which are not the %d in the folder", d.path, len(got), len(want))
		}
	}
}

func TestEverySampleIsMadeOnce(t *testing.T) {
	made := map[string]bool{}
	for _, d := range append(documents(), toolDocuments()...) {
		if made[d.path] {
			t.Errorf("%q is made twice", d.path)
		}
		made[d.path] = true
		if testdata.Types()[d.path] == "" {
			t.Errorf("%q is made but has no type", d.path)
		}
	}
	for name := range testdata.Types() {
		if !made[name] {
			t.Errorf("%q is never made", name)
		}
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-dir", dir}, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit %d, stderr %q", code, &stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "archive", "2025", "copy of invoice-2041.pdf")); err != nil {
		t.Error(err)
	}
	if code := run([]string{"surplus"}, &stdout, &stderr); code != 2 {
		t.Errorf("with an argument: exit %d, want 2", code)
	}
}
