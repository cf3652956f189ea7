package settings

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// wrongSettings are problems, each with a word of its text.
var wrongSettings = map[string]string{
	"DOCUTRAY_BASE_URL=app.docutray.com":           "https://",
	"DOCUTRAY_BASE_URL=http://docutray.example":    "loopback",
	"DOCUTRAY_BASE_URL=https://u:p4ssw0rd@x.y":     "user or password",
	"DOCUTRAY_BASE_URL=https://u:p4ssw0rd@x y":     "not a URL",
	"DOCUSORT_DOCUMENT_TYPES=a,,b":                 "code 2 is empty",
	"DOCUSORT_DOCUMENT_TYPES=a,b, a":               "twice",
	"DOCUSORT_DOCUMENT_TYPES=[\"a\"]":              "JSON list",
	"DOCUSORT_DOCUMENT_TYPES=a\nb":                 "control",
	"DOCUSORT_METADATA=[1]":                        "JSON object",
	"DOCUSORT_METADATA=null":                       "JSON object",
	"DOCUSORT_METADATA={} {}":                      "follows",
	"DOCUSORT_METADATA={a:1}":                      "JSON object",
	"DOCUSORT_HOME=~/docusort":                     "shell",
	"DOCUSORT_INBOX=$DOCUSORT_HOME/in":             "not replaced",
	"DOCUSORT_SORTED=\"/so\"":                      "quotes",
	"DOCUSORT_SORTED=/var/lib/docusort/inbox/a":    "inside DOCUSORT_INBOX",
	"DOCUSORT_SORTED=/var/lib/docusort/inbox":      "the same",
	"DOCUSORT_FOLDERS={year}":                      "must contain {type}",
	"DOCUSORT_FOLDERS=_review/{type}":              "underscore",
	"DOCUSORT_DATABASE=/var/lib/docusort/inbox/d":  "inside DOCUSORT_INBOX",
	"DOCUSORT_DATABASE=/var/lib/docusort/sorted/d": "inside DOCUSORT_SORTED",
	"DOCUSORT_HOOK=/var/lib/docusort/inbox/h":      "inside DOCUSORT_INBOX",
	"DOCUSORT_WATCH=fanotify":                      "none of auto, inotify, poll",
	"DOCUSORT_RESCAN=0":                            "at least 1ms",
	"DOCUSORT_RESCAN=60":                           "such as",
	"DOCUSORT_RESCAN=1m # often":                   "line of its own",
	"DOCUSORT_SETTLE=-1s":                          "negative",
	"DOCUSORT_SETTLE=6m":                           "more than DOCUSORT_INCOMPLETE_AFTER",
	"DOCUSORT_INCOMPLETE_AFTER=1s":                 "less than DOCUSORT_SETTLE",
	"DOCUSORT_RECURSIVE=maybe":                     "neither true nor false",
	"DOCUSORT_IGNORE=*.a,[b":                       "not a pattern",
	"DOCUSORT_IGNORE=a,,b":                         "pattern 2 is empty",
	"DOCUSORT_IGNORE=a/b":                          "slash",
	"DOCUSORT_WORKERS=0":                           "from 1 to 1024",
	"DOCUSORT_WORKERS=1025":                        "from 1 to 1024",
	"DOCUSORT_WORKERS=four":                        `"four"`,
	"DOCUSORT_MAX_PENDING=0":                       "from 1",
	"DOCUSORT_REQUESTS_PER_MINUTE=-1":              "from 0",
	"DOCUSORT_POLL_MIN=31s":                        "more than DOCUSORT_POLL_MAX, 30s (its default)",
	"DOCUSORT_POLL_MAX=100ms":                      "less than DOCUSORT_POLL_MIN",
	"DOCUSORT_JOB_TIMEOUT=100ms":                   "less than DOCUSORT_POLL_MIN",
	"DOCUSORT_MAX_ATTEMPTS=0":                      "from 1",
	"DOCUSORT_MIN_CONFIDENCE=70":                   "0 to 1",
	"DOCUSORT_MIN_CONFIDENCE=NaN":                  "0 to 1",
	"DOCUSORT_MIN_CONFIDENCE=0,7":                  "0 to 1",
	"DOCUSORT_REUSE_RESULTS=30 days":               "not a duration",
	"DOCUSORT_KEEP_HISTORY=999999d":                "not a duration",
	"DOCUSORT_SHUTDOWN_GRACE=-1d":                  "not a duration",
	"DOCUSORT_SIDECAR=y es":                        "neither",
	"DOCUSORT_HTTP_ADDR=80 80":                     "0.0.0.0:9464",
	"DOCUSORT_HTTP_ADDR=localhost:http":            "port",
	"DOCUSORT_HTTP_ADDR=:65536":                    "port",
	"DOCUSORT_LOG_LEVEL=info+2":                    "none of debug",
	"DOCUSORT_LOG_FORMAT=logfmt":                   "none of auto",
	"DOCUSORT_WORKER=4":                            "did you mean DOCUSORT_WORKERS?",
	"docusort_workers=4":                           "did you mean DOCUSORT_WORKERS?",
	"DOCUTRAY_APIKEY=hidden-value":                 "did you mean DOCUTRAY_API_KEY?",
	"DOCUSORT_XYZZY_PLUGH=hidden-value":            "config.example.env",
}

// Each of these settings alone is one problem, which names it and where it stands, and
// everything else is the default.
func TestEachProblem(t *testing.T) {
	for setting, word := range wrongSettings {
		t.Run(setting, func(t *testing.T) {
			s, err := loadHere(t, given(setting), "", all)
			var ps Problems
			if !errors.As(err, &ps) || len(ps) != 1 {
				t.Fatalf("want one problem, have: %v", err)
			}
			name, _, _ := strings.Cut(setting, "=")
			text := ps.Error()
			if ps[0].Name != name || !strings.HasPrefix(text, name+" (environment): ") || !strings.Contains(text, word) {
				t.Errorf("%q does not say %q of %s", text, word, name)
			}
			for _, secret := range []string{"p4ssw0rd", "hidden-value", "dt_live"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q shows a secret", text)
				}
			}
			if strings.Contains(text, "\n") {
				t.Errorf("more than a line: %q", text)
			}
			if s == nil || s.LogFormat != "auto" || s.Workers != 4 || len(s.Ignore) != 26 {
				t.Errorf("the rest is not the default: %+v", s)
			}
		})
	}
}

// All that is wrong comes at once, each with its place.
func TestAllProblemsAtOnce(t *testing.T) {
	file := write(t, "DOCUSORT_WORKERS=x\n\nnonsense\nDOCUSORT_RETRIES=1\nDOCSORT_HOOK=/h\nTZ=UTC\nDOCUSORT_SETTLE=bad\n")
	_, err := loadHere(t, []string{"DOCUSORT_POLL_MAX=1", "DOCUSORT_INBOXX=/a", "DOCUSORT_SETTLE=1s"}, file, all)
	says(t, err,
		file+":3: not understood",
		"DOCUSORT_INBOXX (environment): there is no such setting: did you mean DOCUSORT_INBOX?",
		"DOCUSORT_RETRIES ("+file+":4): there is no such setting",
		"DOCSORT_HOOK ("+file+":5): there is no such setting: did you mean DOCUSORT_HOOK?",
		"DOCUSORT_WORKERS ("+file+`:1): "x" is not a whole number`,
		`DOCUSORT_POLL_MAX (environment): "1" is not a duration`,
		"DOCUTRAY_API_KEY: is not set",
		"DOCUSORT_DOCUMENT_TYPES: is not set")
	if n := strings.Count(err.Error(), "\n") + 1; n != 8 {
		t.Errorf("%d lines, want 8:\n%v", n, err)
	}
}

// A port alone is for this machine; everybody else has to be asked for.
func TestHTTPAddr(t *testing.T) {
	for given, want := range map[string]string{
		"9464": "127.0.0.1:9464", ":9464": "127.0.0.1:9464", "127.0.0.1:0": "127.0.0.1:0", "localhost:80": "localhost:80",
		"[::1]:9464": "[::1]:9464", "0.0.0.0:9464": "0.0.0.0:9464", "[::]:9464": "[::]:9464", "scans.example.com:80": "scans.example.com:80",
	} {
		if got, err := httpAddr(given); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", given, got, err, want)
		}
	}
	for _, bad := range []string{"localhost", "::1", "::1:80", "http://localhost:80", "*:80", "80/", "-1", "65536", "a b:80", "x:http"} {
		if got, err := httpAddr(bad); err == nil {
			t.Errorf("%q was taken for %q", bad, got)
		}
	}
}

// A link cannot hide that one folder is inside the other.
func TestFoldersThroughLinks(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.Mkdir(dir+"/inbox", 0o700))
	ok(t, os.Symlink("inbox", dir+"/link"))
	for _, env := range [][]string{
		{"DOCUSORT_INBOX=" + dir + "/inbox", "DOCUSORT_SORTED=" + dir + "/link/new/sorted"},
		{"DOCUSORT_INBOX=" + dir + "/link/a", "DOCUSORT_SORTED=" + dir + "/inbox"},
		{"DOCUSORT_INBOX=/", "DOCUSORT_SORTED=" + dir},
	} {
		_, err := loadHere(t, env, "", NeedFolders)
		says(t, err, "inside")
	}
	if _, err := loadHere(t, []string{"DOCUSORT_INBOX=" + dir + "/link/a", "DOCUSORT_SORTED=" + dir + "/inbox"}, "", 0); err != nil {
		t.Errorf("a link was followed for a command that needs no folder: %v", err)
	}
	s, err := loadHere(t, []string{"DOCUSORT_INBOX=" + dir + "/link", "DOCUSORT_SORTED=" + dir + "/inbox2"}, "", NeedFolders)
	if err != nil || s.Inbox != dir+"/link" {
		t.Errorf("%+v %v", s, err)
	}
}
