package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module; root is its folder, seen from here.
const (
	module = "docusort"
	root   = "../.."
)

// anything in a row allows every import but those of testOnly.
const anything = "*"

// layout has what each package may import beside the standard library (DESIGN §1). A row
// for NAME/... covers what is below NAME and has no row of its own; an allowed X/... covers
// X and what is below it. The reason is for whoever wants to add to a row.
var layout = []struct {
	pkg    string
	may    []string
	reason string
}{
	{"docusort/cmd/docusort", []string{anything},
		"wires everything together"},
	{"docusort/cmd/docusort/internal/settings", []string{
		"github.com/sethvargo/go-envconfig", "docusort/pipeline/docutray", "docusort/pipeline/filing",
		"docusort/cmd/docusort/internal/report/display"},
		"plain values for the others; the client decides what a key and a base URL may be, and filing what a folder may be called"},
	{"docusort/cmd/docusort/internal/logging", []string{"github.com/lmittmann/tint"},
		"makes a slog.Logger, the only thing that others know of it"},
	{"docusort/cmd/docusort/internal/service", []string{
		"docusort/store", "docusort/cmd/docusort/internal/report/display", "github.com/coreos/go-systemd/v22/daemon"},
		"tells systemd what the functions that it is given return"},
	{"docusort/cmd/docusort/internal/status", []string{
		"docusort/store", "docusort/cmd/docusort/internal/report/...", "docusort/cmd/docusort/internal/settings", "github.com/prometheus/client_golang/..."},
		"shows what the store knows over HTTP, in the metrics' own library"},
	{"docusort/cmd/docusort/internal/report/display", []string{"github.com/rivo/uniseg"},
		"how text looks on a terminal"},
	{"docusort/cmd/docusort/internal/doctor", []string{
		"docusort/store", "docusort/pipeline/filing", "docusort/cmd/docusort/internal/...", "golang.org/x/sys/unix"},
		"looks at what the daemon works with, and tries a move as the daemon makes it"},
	{"docusort/cmd/docusort/internal/...", []string{
		"docusort/store", "docusort/cmd/docusort/internal/...", "golang.org/x/sys/unix"},
		"shows what the store knows, and does nothing"},
	{"docusort/cmd/docutray-sim", []string{
		"docusort/cmd/internal/manual", "docusort/pipeline/docutray/docutraytest", "github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/lmittmann/tint"},
		"the stand-in with flags around it; it knows nothing of the daemon"},
	{"docusort/cmd/internal/manual", []string{"github.com/spf13/cobra", "github.com/spf13/pflag"},
		"writes down what commands say of themselves"},
	{"docusort/watcher", []string{"github.com/fsnotify/fsnotify", "golang.org/x/sys/unix"},
		"knows nothing of documents, API or database"},
	{"docusort/store", []string{"github.com/mattn/go-sqlite3", "docusort/store/needscgo"},
		"the record alone"},
	{"docusort/store/needscgo", nil,
		"one line for whoever has no C compiler"},
	{"docusort/pipeline", []string{
		"docusort/store", "docusort/pipeline/docutray", "docusort/pipeline/filing", "docusort/pipeline/gate",
		"golang.org/x/sync/..."},
		"one document's way; it meets the watcher in cmd only"},
	{"docusort/pipeline/gate", []string{"docusort/pipeline/docutray"},
		"decides whether a request may be made now"},
	{"docusort/pipeline/docutray", nil,
		"what holds the key depends on nobody"},
	{"docusort/pipeline/docutray/docutraytest", []string{"docusort/pipeline/docutray"},
		"the API's side of the client's words"},
	{"docusort/pipeline/filing", []string{"docusort/pipeline/format", "golang.org/x/sys/unix"},
		"moves files; knows neither types nor jobs"},
	{"docusort/pipeline/format", nil,
		"bytes of a file and nothing else"},
	{"docusort/testdata", nil,
		"bytes and the right answers"},
}

// testOnly are modules that no program may contain.
var testOnly = []string{
	"go.uber.org/goleak", "pgregory.net/rapid", "github.com/google/go-cmp",
	"github.com/chromedp/chromedp", "github.com/chromedp/cdproto"}

func TestImportsFollowTheDesign(t *testing.T) {
	for pkg, imports := range programImports(t) {
		if !strings.HasPrefix(pkg+"/", module+"/") {
			t.Errorf("the module is called %s, but there is a package %s", module, pkg)
			continue
		}
		may, reason, ok := rowOf(pkg)
		if !ok {
			t.Errorf("%s has no row in the layout: is it part of the design?", pkg)
			continue
		}
		for _, i := range imports {
			if slices.ContainsFunc(testOnly, func(m string) bool { return matches(m+"/...", i) }) {
				t.Errorf("%s imports %s outside of its tests", pkg, i)
			} else if !slices.ContainsFunc(may, func(m string) bool { return matches(m, i) }) {
				t.Errorf("%s imports %s, which it may not: %s", pkg, i, reason)
			}
		}
	}
}

// programImports returns what each package imports beside the standard library, without
// its tests. The pattern ./... leaves out packages below testdata.
func programImports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...", "./testdata")
	cmd.Dir = root
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	noErr(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		all[words[0]] = slices.DeleteFunc(words[1:], standard)
	}
	return all
}

// standard reports whether an import is of the standard library: its first part
// has no dot, and is not this module.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != module && !strings.Contains(first, ".")
}

// rowOf returns the row of a package: its own, or the longest that covers it.
func rowOf(pkg string) (may []string, reason string, ok bool) {
	longest := -1
	for _, row := range layout {
		if row.pkg == pkg {
			return row.may, row.reason, true
		}
		if matches(row.pkg, pkg) && len(row.pkg) > longest {
			may, reason, ok, longest = row.may, row.reason, true, len(row.pkg)
		}
	}
	return may, reason, ok
}

// matches reports whether a path is the pattern, or below a pattern's "/...".
func matches(pattern, path string) bool {
	below, all := strings.CutSuffix(pattern, "/...")
	return pattern == anything || path == below || all && strings.HasPrefix(path, below+"/")
}

// TestTopLevel: nothing new appears at the top level.
func TestTopLevel(t *testing.T) {
	allowed := strings.Fields(`.ci .github .gitignore .gitattributes LICENSE README.md cmd config.example.env
		go.mod go.sum pipeline store systemd testdata watcher
		.editorconfig .golangci.yml .goreleaser.yaml .nfpm.yaml`)
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("git does not answer: %v", err)
	}
	seen := map[string]bool{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		top, _, _ := strings.Cut(name, "/")
		if !seen[top] && !slices.Contains(allowed, top) {
			t.Errorf("%s is at the top level, which the design keeps short", top)
		}
		seen[top] = true
	}
}
