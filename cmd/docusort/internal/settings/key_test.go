package settings

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docusort/pipeline/docutray"
)

const secret = "dt_live_0123456789"

// The settings can be printed and logged without the key.
func TestSettingsHideTheKey(t *testing.T) {
	s, err := loadHere(t, given("DOCUTRAY_API_KEY="+secret), "", all)
	ok(t, err)
	text, err := json.Marshal(s)
	ok(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "settings", s, "keys", s.Keys)
	shown := fmt.Sprintf("%v %+v %#v %s %s", *s, *s, *s, text, log.String())
	if strings.Contains(shown, secret) {
		t.Errorf("the key is in %s", shown)
	}
}

func TestWhereTheKeyComesFrom(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	credentials := filepath.Join(dir, "credentials")
	ok(t, os.Mkdir(credentials, 0o700))
	credential := filepath.Join(credentials, CredentialName)
	for name, text := range map[string]string{file: "from-file\n", credential: "from-credential", dir + "/bad": "two " + secret, dir + "/empty": "\n"} {
		ok(t, os.WriteFile(name, []byte(text), 0o600))
	}
	t.Chdir(dir)
	const types = "DOCUSORT_DOCUMENT_TYPES=a"
	for _, c := range keyCases(dir, file, credentials, credential) {
		t.Run(c.name, func(t *testing.T) {
			s, err := loadHere(t, append(c.env, types), write(t, c.file), all)
			if (err != nil) != (c.problems != nil) {
				t.Fatal(err)
			}
			says(t, err, c.problems...)
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the key is shown: %v", err)
			}
			if err == nil && (revealed(t, s) != c.key || s.KeyFile != c.at) {
				t.Errorf("key %q from %q, want %q from %q", revealed(t, s), s.KeyFile, c.key, c.at)
			}
		})
	}
}

// TestKeyThatOthersCanRead: the file is named wherever the key stands in it, unless systemd
// made it, which shows the service's access in the mode of the group.
func TestKeyThatOthersCanRead(t *testing.T) {
	for mode, exposed := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		dir := t.TempDir()
		settings, key := filepath.Join(dir, "docusort.env"), filepath.Join(dir, CredentialName)
		for path, text := range map[string]string{settings: "DOCUTRAY_API_KEY=" + secret, key: secret} {
			ok(t, os.WriteFile(path, []byte(text), mode))
			ok(t, os.Chmod(path, mode))
		}
		for _, c := range []struct {
			environ []string
			file    string
			want    string
		}{
			{nil, settings, settings},
			{[]string{"DOCUTRAY_API_KEY_FILE=" + key}, "", key},
			{[]string{"DOCUTRAY_API_KEY=" + secret}, settings, ""},
			{[]string{"CREDENTIALS_DIRECTORY=" + dir}, "", ""},
		} {
			s, err := loadHere(t, c.environ, c.file, NeedKey)
			ok(t, err)
			if !exposed {
				c.want = ""
			}
			if s.KeyExposed != c.want {
				t.Errorf("%v %q %q: %q, want %q", mode, c.environ, c.file, s.KeyExposed, c.want)
			}
		}
	}
}

// Commands that need no key do not look at it: others may not read its file.
func TestKeyNotNeeded(t *testing.T) {
	s, err := loadHere(t, []string{"DOCUTRAY_API_KEY_FILE=/nowhere/key", "CREDENTIALS_DIRECTORY=/nowhere"}, "", 0)
	if err != nil || s.Keys != nil {
		t.Errorf("%v %v", s, err)
	}
	if _, err := loadHere(t, nil, "", NeedTypes); err == nil || strings.Contains(err.Error(), "KEY") {
		t.Errorf("types alone: %v", err)
	}
}

type keyCase struct {
	name     string
	env      []string
	file     string // the settings file
	key, at  string
	problems []string
}

func keyCases(dir, file, credentials, credential string) []keyCase {
	return []keyCase{
		{name: "variable", env: []string{"DOCUTRAY_API_KEY=" + secret}, key: secret},
		{name: "variable before credential", env: []string{"DOCUTRAY_API_KEY=" + secret, "CREDENTIALS_DIRECTORY=" + credentials}, key: secret},
		{name: "file", env: []string{"DOCUTRAY_API_KEY_FILE=" + file}, key: "from-file", at: file},
		{name: "relative file", env: []string{"DOCUTRAY_API_KEY_FILE=key"}, key: "from-file", at: file},
		{name: "file before credential", env: []string{"CREDENTIALS_DIRECTORY=" + credentials}, file: "DOCUTRAY_API_KEY_FILE=" + file, key: "from-file", at: file},
		{name: "credential", env: []string{"CREDENTIALS_DIRECTORY=" + credentials}, key: "from-credential", at: credential},
		{name: "emptied by the environment", env: []string{"DOCUTRAY_API_KEY=", "DOCUTRAY_API_KEY_FILE=" + file}, file: "DOCUTRAY_API_KEY=" + secret, key: "from-file", at: file},
		{name: "both", env: []string{"DOCUTRAY_API_KEY_FILE=" + file}, file: "\nDOCUTRAY_API_KEY=" + secret, problems: []string{"DOCUTRAY_API_KEY (", "docusort.env:2", "DOCUTRAY_API_KEY_FILE (environment)"}},
		{name: "none", problems: []string{"DOCUTRAY_API_KEY: is not set"}},
		{name: "no such credential", env: []string{"CREDENTIALS_DIRECTORY=" + dir}, problems: []string{"there is no file", "api-key has no usable key: put it there"}},
		{name: "malformed", env: []string{"DOCUTRAY_API_KEY=" + secret + " x"}, problems: []string{"DOCUTRAY_API_KEY (environment): unusable API key", "white space"}},
		{name: "quoted", env: []string{`DOCUTRAY_API_KEY="` + secret + `"`}, problems: []string{"quotes"}},
		{name: "no such file", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir + "/none"}, problems: []string{"DOCUTRAY_API_KEY_FILE (environment): there is no file " + dir + "/none"}},
		{name: "key for a file", env: []string{"DOCUTRAY_API_KEY_FILE=" + secret}, problems: []string{"DOCUTRAY_API_KEY_FILE (environment): names no file"}},
		{name: "malformed in file", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir + "/bad"}, problems: []string{dir + "/bad", "white space"}},
		{name: "empty file", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir + "/empty"}, problems: []string{dir + "/empty", "is empty"}},
		{name: "folder", env: []string{"DOCUTRAY_API_KEY_FILE=" + dir}, problems: []string{"not a regular file"}},
		{name: "in the inbox", env: []string{"DOCUTRAY_API_KEY_FILE=" + file, "DOCUSORT_INBOX=" + dir}, problems: []string{"DOCUTRAY_API_KEY_FILE", "inside DOCUSORT_INBOX"}},
		{name: "pasted elsewhere", env: []string{"DOCUTRAY_API_KEY=" + secret, "DOCUSORT_WORKERS=" + secret}, problems: []string{"DOCUSORT_WORKERS", docutray.Redacted}},
		{name: "pasted into all", env: []string{"DOCUTRAY_API_KEY=" + secret, "DOCUTRAY_BASE_URL=" + secret, "DOCUSORT_WATCH=" + secret, "DOCUSORT_METADATA=" + secret}, problems: []string{"DOCUTRAY_BASE_URL", "DOCUSORT_WATCH", "DOCUSORT_METADATA"}},
		{name: "stray line", env: []string{"DOCUTRAY_API_KEY=" + secret}, file: secret + "\n" + secret + " x=1\n'" + secret, problems: []string{"docusort.env:1", "docusort.env:2", "docusort.env:3"}},
	}
}
