package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docusort/cmd/docusort/internal/settings"
)

// TestManualPages: each command has a page, and each setting a paragraph.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	if r := runWith(nil, "man", dir); r.code != exitDone {
		t.Fatalf("man ended with %d: %s", r.code, r.stderr)
	}
	page := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		noErr(t, err)
		return strings.ReplaceAll(string(b), `\-`, "-")
	}
	top := page("docusort.1")
	for _, cmd := range (program{}).rootCommand().Commands() {
		if cmd.Hidden || cmd.HasSubCommands() {
			continue
		}
		name := "docusort-" + cmd.Name()
		if !strings.Contains(top, ".BR "+name+" (1)") {
			t.Errorf("docusort.1 does not lead to %s", name)
		}
		if text := page(name + ".1"); !strings.Contains(text, `"EXIT STATUS"`) || !strings.Contains(text, `"--config FILE"`) {
			t.Errorf("%s.1 lacks something:\n%s", name, text)
		}
	}
	for _, v := range settings.Describe() {
		if !strings.Contains(page("docusort.env.5"), `.B "`+v.Name+`"`) {
			t.Errorf("docusort.env.5 lacks %s", v.Name)
		}
	}
}
