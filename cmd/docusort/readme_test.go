package main

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"docusort/cmd/docusort/internal/report/wording"
)

// readmeCommands returns the lines of README.md's blocks of commands, as they are
// written and without what is said about them.
func readmeCommands(t *testing.T) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	noErr(t, err)
	inBlock, shown := false, false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock, shown = !inBlock, false
		case !inBlock, line == "":
		case strings.HasPrefix(line, "$ "):
			lines, shown = append(lines, line[2:]), true // what follows is its output
		case !shown && !strings.HasPrefix(line, "inbox/"):
			lines = append(lines, line)
		}
		if strings.HasPrefix(line, "inbox/") {
			shown = true // a picture of folders
		}
	}
	if len(lines) < 20 {
		t.Fatalf("README.md has %d commands only: %q", len(lines), lines)
	}
	return lines
}

var remark = regexp.MustCompile(`\s{2,}#.*$`)

// TestReadmeCommands runs every command of docusort in README.md, and sees to it
// that every other one is run where it can be: by .ci/run, or in the machine that
// .ci/boot boots.
func TestReadmeCommands(t *testing.T) {
	elsewhere := ""
	for _, name := range []string{"run", "boot-inside", "boot-folders", "boot-shares"} {
		text, err := os.ReadFile(filepath.Join("../../.ci", name))
		noErr(t, err)
		elsewhere += string(text)
	}
	w := newWorld(t)
	w.settings["DOCUSORT_MAX_ATTEMPTS"] = "1"
	w.dropOneOfEach("readme")
	w.runToEnd() // the numbers that README names are those of the next ones, which are filed
	w.dropMany(8, "%d.pdf")
	w.runToEnd()
	ran := 0
	for _, line := range readmeCommands(t) {
		command := remark.ReplaceAllString(line, "")
		switch args := strings.Fields(command); {
		case command == "docusort run", strings.HasPrefix(command, "docusort run --config "):
			c := w.startDaemon()
			w.stop(c)
			ran++
		case args[0] == "docusort":
			if got := w.run(args[1:]...); got.code != exitDone && !strings.Contains(command, "--exit-code") {
				t.Errorf("%s: %d, %s", command, got.code, got.stderr)
			}
			ran++
		case command == "bash .ci/package", command == "go test ./...":
			// .ci/run is what does both.
		case args[0] == "go" && strings.Contains(elsewhere, command):
		case !strings.Contains(elsewhere, "as_told '"+line+"'") && !strings.Contains(elsewhere, `as_told "`+strings.ReplaceAll(line, `\`, `\\`)+`"`):
			t.Errorf("nothing runs: %s", line)
		}
	}
	if ran < 8 {
		t.Errorf("%d commands of docusort were run", ran)
	}
}

// TestReadmeTypes: the types of README's first example are some that the stand-in accepts
// as it comes.
func TestReadmeTypes(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	noErr(t, err)
	examples := regexp.MustCompile(`DOCUSORT_DOCUMENT_TYPES=([a-z,]+)`).FindAllSubmatch(text, -1)
	if len(examples) < 2 {
		t.Fatalf("README.md has %d examples of types", len(examples))
	}
	for _, example := range examples {
		t.Run(string(example[1]), func(t *testing.T) {
			w := newWorld(t) // whose stand-in has its default types
			w.settings["DOCUSORT_DOCUMENT_TYPES"] = string(example[1])
			w.drop("first.pdf", pdf(invoice, "first"))
			w.runToEnd()
		})
	}
}

// TestReadmeStates: README explains each word of the report as help does, and help each state.
func TestReadmeStates(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	noErr(t, err)
	help := runWith(nil, "help", "states").stdout
	for _, w := range wording.Words() {
		if row := "| " + w.Word + " | " + w.Meaning + " | " + cmp.Or(w.Do, "Nothing.") + " |\n"; !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks this row:\n%s", row)
		}
	}
	for _, state := range stateNames() {
		if !strings.Contains(help, "\n  "+state+" ") {
			t.Errorf("help does not explain %s", state)
		}
	}
}
