package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const secret = "dt_live_0123456789"

// However a key is shown, alone or deep in something else, it is not shown.
func TestKeyHidesItself(t *testing.T) {
	key, err := NewKey(" " + secret + "\n")
	if err != nil || key.Reveal() != secret {
		t.Fatal(err)
	}
	s := &Settings{Key: key}
	inner := struct{ hidden Settings }{*s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%10v"} {
		for _, x := range []any{key, &key, s, *s, inner, &inner, []Key{key}, map[string]Key{"k": key}} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
	}
	b, err := json.Marshal(map[string]any{"key": key, "all": s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("m", "key", key, "all", s, "ptr", &key)
	}
	out.Write(log.Bytes())
	for _, hidden := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if strings.Contains(out.String(), hidden) {
			t.Errorf("the key is shown in:\n%s", out.String())
		}
	}
	if !strings.Contains(string(b), redacted) || !strings.Contains(log.String(), redacted) {
		t.Error("nothing tells that there is a key")
	}
	for _, verb := range []string{"%v", "%#v", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, key); got != redacted {
			t.Errorf("%s shows %s", verb, got)
		}
	}
	if fmt.Sprint(Key{}) != "" || !(Key{}).IsZero() || (Key{}).Reveal() != "" {
		t.Error("the zero Key is no key")
	}
}

func TestKeyForms(t *testing.T) {
	for _, bad := range []string{"", "  \n", "se cret9", "se\tcret9", "se\ncret9", "se\x00cret9", "se\x7fcret9", "secrét9", strings.Repeat("a", maxKeyLength+1)} {
		if _, err := NewKey(bad); err == nil || strings.Contains(err.Error(), "cret9") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWhereTheKeyComesFrom(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	credentials := filepath.Join(dir, "credentials")
	if err := os.Mkdir(credentials, 0o700); err != nil {
		t.Fatal(err)
	}
	credential := filepath.Join(credentials, CredentialName)
	for name, text := range map[string]string{file: "from-file\n", credential: "from-credential", dir + "/bad": "two " + secret, dir + "/empty": "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	const types = "DOCUSORT_DOCUMENT_TYPES=a"
	for _, c := range []struct {
		name     string
		env      []string
		file     string // the settings file
		key, at  string
		problems []string
	}{
		{name: "variable", env: []string{"DOCUTRAY_API_KEY=" + secret}, key: secret},
		{name: "variable before credential", env: []string{"DOCUTRAY_API_KEY=" + secret, "CREDENTIALS_DIRECTORY=" + credentials}, key: secret},
		{name: "file", env: []string{"DOCUTRAY_API_KEY_FILE=" + file}, key: "from-file", at: file},
		{name: "relative file", env: []string{"DOCUTRAY_API_KEY_FILE=key"}, key: "from-file", at: file},
		{name: "file before credential", env: []string{"CREDENTIALS_DIRECTORY=" + credentials}, file: "DOCUTRAY_API_KEY_FILE=" + file, key: "from-file", at: file},
		{name: "credential", env: []string{"CREDENTIALS_DIRECTORY=" + credentials}, key: "from-credential", at: credential},
		{name: "emptied by the environment", env: []string{"DOCUTRAY_API_KEY=", "DOCUTRAY_API_KEY_FILE=" + file}, file: "DOCUTRAY_API_KEY=" + secret, key: "from-file", at: file},
		{name: "both", env: []string{"DOCUTRAY_API_KEY_FILE=" + file}, file: "\nDOCUTRAY_API_KEY=" + secret, problems: []string{"DOCUTRAY_API_KEY (", "docusort.env:2", "DOCUTRAY_API_KEY_FILE (environment)"}},
		{name: "none", problems: []string{"DOCUTRAY_API_KEY: is not set"}},
		{name: "no such credential", env: []string{"CREDENTIALS_DIRECTORY=" + dir}, problems: []string{"is not set"}},
		{name: "malformed", env: []string{"DOCUTRAY_API_KEY=" + secret + " x"}, problems: []string{"DOCUTRAY_API_KEY (environment): has white space"}},
		{name: "quoted", env: []string{`DOCUTRAY_API_KEY="` + secret + `"`}, problems: []string{"quotes"}},
		{name: "no such file", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir + "/none"}, problems: []string{"DOCUTRAY_API_KEY_FILE (environment): there is no file " + dir + "/none"}},
		{name: "key for a file", env: []string{"DOCUTRAY_API_KEY_FILE=" + secret}, problems: []string{"DOCUTRAY_API_KEY_FILE (environment): names no file"}},
		{name: "malformed in file", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir + "/bad"}, problems: []string{dir + "/bad", "white space"}},
		{name: "empty file", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir + "/empty"}, problems: []string{dir + "/empty", "is empty"}},
		{name: "folder", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir}, problems: []string{"not a regular file"}},
		{name: "in the inbox", env: []string{"DOCUTRAY_API_KEY_FILE=" + file, "DOCUSORT_INBOX=" + dir}, problems: []string{"DOCUTRAY_API_KEY_FILE", "inside DOCUSORT_INBOX"}},
		{name: "pasted elsewhere", env: []string{"DOCUTRAY_API_KEY=" + secret, "DOCUSORT_WORKERS=" + secret}, problems: []string{"DOCUSORT_WORKERS", redacted}},
		{name: "stray line", env: []string{"DOCUTRAY_API_KEY=" + secret}, file: secret + "\n" + secret + " x=1\n'" + secret, problems: []string{"docusort.env:1", "docusort.env:2", "docusort.env:3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := loadHere(t, append(c.env, types), write(t, c.file), all)
			if (err != nil) != (c.problems != nil) {
				t.Fatal(err)
			}
			for _, want := range c.problems {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the key is shown: %v", err)
			}
			if err == nil && (s.Key.Reveal() != c.key || s.KeyFile != c.at) {
				t.Errorf("key %q from %q, want %q from %q", s.Key.Reveal(), s.KeyFile, c.key, c.at)
			}
		})
	}
}

// Commands that need no key do not look at it: others may not read its file.
func TestKeyNotNeeded(t *testing.T) {
	s, err := loadHere(t, []string{"DOCUTRAY_API_KEY_FILE=/nowhere/key", "CREDENTIALS_DIRECTORY=/nowhere"}, "", 0)
	if err != nil || !s.Key.IsZero() {
		t.Errorf("%v %v", s, err)
	}
	if _, err := loadHere(t, nil, "", NeedTypes); err == nil || strings.Contains(err.Error(), "KEY") {
		t.Errorf("types alone: %v", err)
	}
}

// A rotated key is read from the same place.
func TestReadKeyAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(want+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := ReadKey(file); err != nil || key.Reveal() != want {
			t.Errorf("%q %v, want %q", key.Reveal(), err, want)
		}
	}
}
