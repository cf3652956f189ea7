package settings

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write config.example.env anew")

const exampleFile = "../../../../config.example.env"

// Every variable but the key has a field, and every field a variable.
func TestVariablesAndFieldsAreTheSame(t *testing.T) {
	want := []string{KeyName}
	for field := range reflect.TypeFor[Settings]().Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("env"), ","); name != "" {
			want = append(want, name)
		}
	}
	var got []string
	for _, v := range Describe() {
		got = append(got, v.Name)
		if v.Meaning == "" || strings.HasSuffix(v.Meaning, ".") || strings.Contains(v.Meaning, "\n") {
			t.Errorf("%s: meaning %q", v.Name, v.Meaning)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-fields +variables):\n%s", diff)
	}
}

// The names and defaults are a promise to users: changing one is no accident.
func TestDefaultsAreThosePromised(t *testing.T) {
	promised := `DOCUTRAY_API_KEY= DOCUTRAY_API_KEY_FILE= DOCUTRAY_BASE_URL=https://app.docutray.com
		DOCUSORT_DOCUMENT_TYPES= HTTPS_PROXY= NO_PROXY= SSL_CERT_FILE= SSL_CERT_DIR= DOCUSORT_METADATA= DOCUSORT_HOME=/var/lib/docusort
		DOCUSORT_INBOX=$DOCUSORT_HOME/inbox DOCUSORT_SORTED=$DOCUSORT_HOME/sorted DOCUSORT_FOLDERS={type} DOCUSORT_DATABASE=$DOCUSORT_HOME/docusort.db
		DOCUSORT_WATCH=auto DOCUSORT_RESCAN=1m DOCUSORT_SETTLE=5s DOCUSORT_INCOMPLETE_AFTER=5m DOCUSORT_RECURSIVE=true
		DOCUSORT_IGNORE=.*,*~,~$*,*.tmp,*.part,*.partial,*.crdownload,*.opdownload,*.download,*.filepart,*.aria2,*.sb-*,*:Zone.Identifier,@eaDir,@Recycle,@Recently-Snapshot,#recycle,#snapshot,$RECYCLE.BIN,RECYCLER,System_Volume_Information,lost+found,__MACOSX,Thumbs.db,ehthumbs.db,desktop.ini
		DOCUSORT_WORKERS=4 DOCUSORT_MAX_PENDING=100 DOCUSORT_REQUESTS_PER_MINUTE=0 DOCUSORT_POLL_MIN=500ms DOCUSORT_POLL_MAX=30s
		DOCUSORT_JOB_TIMEOUT=1h DOCUSORT_MAX_ATTEMPTS=5 DOCUSORT_REUSE_RESULTS=720h DOCUSORT_MIN_CONFIDENCE=0
		DOCUSORT_SIDECAR=false DOCUSORT_KEEP_HISTORY=0 DOCUSORT_STUCK_AFTER=15m DOCUSORT_SHUTDOWN_GRACE=25s DOCUSORT_HOOK= DOCUSORT_HTTP_ADDR=
		DOCUSORT_LOG_LEVEL=info DOCUSORT_LOG_FORMAT=auto`
	var got []string
	for _, v := range Describe() {
		got = append(got, v.Name+"="+strings.ReplaceAll(v.Default, " ", "_"))
	}
	if diff := cmp.Diff(strings.Fields(promised), got); diff != "" {
		t.Errorf("(-promised +got):\n%s", diff)
	}
}

// example is what config.example.env must be.
func example() string {
	var b strings.Builder
	b.WriteString(`# Settings of docusort: every one there is, with its default.
#
# Copy this file to /etc/docusort/docusort.env, or name your copy with --config.
# Give a key and the types; all else may stay as it is or be deleted. What the
# environment says goes before this file, and an empty value means the default.
#
# Durations are written as 500ms, 5s, 10m, 1h30m or 30d. A value is one line, and
# comments stand on lines of their own. 'Single' and "double" quotes around a value
# work as they do in an EnvironmentFile= of systemd.
`)
	group := ""
	for _, v := range Describe() {
		if v.Group != group {
			group = v.Group
			fmt.Fprintf(&b, "\n\n### %s\n", group)
		}
		value := strings.Replace(v.Default, "$DOCUSORT_HOME", "/var/lib/docusort", 1)
		if strings.ContainsAny(value, "$*~ ") {
			value = "'" + value + "'" // for those who let a shell read it
		}
		mark := ""
		// The key, because nothing secret belongs here; the folders, because
		// their defaults follow $STATE_DIRECTORY, which a line here would end.
		if strings.HasPrefix(v.Name, "DOCUTRAY_API_KEY") || v.Group == "Folders" {
			mark = "#"
		}
		meaning := v.Meaning
		if v.Required {
			meaning = "required: " + meaning
		}
		fmt.Fprintf(&b, "\n# %s\n%s%s=%s\n", meaning, mark, v.Name, value)
	}
	return b.String()
}

func TestExampleListsEverything(t *testing.T) {
	if *update {
		ok(t, os.WriteFile(exampleFile, []byte(example()), 0o644))
	}
	b, err := os.ReadFile(exampleFile)
	ok(t, err)
	if string(b) != example() {
		t.Error("config.example.env is not what Describe says; run: go test ./cmd/docusort/internal/settings -update")
	}
}

// The example says what is the case without it: with a key and types in it, and
// whether or not the lines marked as comments count, it changes nothing.
func TestExampleIsTheDefaults(t *testing.T) {
	want, err := loadHere(t, []string{"DOCUTRAY_API_KEY=k", "DOCUSORT_DOCUMENT_TYPES=invoice"}, "", all)
	ok(t, err)
	b, err := os.ReadFile(exampleFile)
	ok(t, err)
	filled := strings.Replace(string(b), "DOCUSORT_DOCUMENT_TYPES=\n", "DOCUSORT_DOCUMENT_TYPES=invoice\n", 1)
	filled = strings.Replace(filled, "#DOCUTRAY_API_KEY=\n", "DOCUTRAY_API_KEY=k\n", 1)
	for name, text := range map[string]string{
		"as it is":  filled,
		"all lines": regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(filled, "$1"),
	} {
		got, err := Load(nil, Source{Config: write(t, text)}, all)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if revealed(t, got) != "k" {
			t.Errorf("%s: the key is not read", name)
		}
		got.Keys, want.Keys, got.ConfigFile, got.Source = nil, nil, "", want.Source
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Source{}), cmpopts.IgnoreUnexported(Settings{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
