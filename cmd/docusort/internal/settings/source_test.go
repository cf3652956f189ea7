package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstance: one name stands for the settings, the folders and the key of an instance,
// and every command that is named has what it needs.
func TestInstance(t *testing.T) {
	from := Source{Instance: "scans", folder: t.TempDir()}
	_, err := Load(nil, from, all)
	says(t, err, "there is no file "+filepath.Join(from.folder, "scans.env"))
	ok(t, os.WriteFile(filepath.Join(from.folder, "scans.env"), []byte("DOCUSORT_DOCUMENT_TYPES=\n"), 0o600))
	_, err = Load(nil, from, all)
	says(t, err, from.InstalledKey()+", of mode 600", "DOCUSORT_DOCUMENT_TYPES ("+from.in("scans.env")+":1)", "'docusort --instance scans types'")
	ok(t, os.WriteFile(from.InstalledKey(), []byte("of-scans\n"), 0o600))
	s, err := Load([]string{"DOCUSORT_DOCUMENT_TYPES=a"}, from, all)
	ok(t, err)
	if key := revealed(t, s); key != "of-scans" || s.Inbox != "/var/lib/docusort-scans/inbox" || s.KeyFile != from.InstalledKey() {
		t.Errorf("key %q of %s, inbox %s", key, s.KeyFile, s.Inbox)
	}
	if s, err = Load([]string{"STATE_DIRECTORY=/state/x"}, from, 0); err != nil || s.Home != "/state/x" {
		t.Errorf("under systemd: %v, %v", s.Home, err)
	}
	// Settings from elsewhere could send the key to another host.
	ok(t, os.WriteFile(from.in("api-key"), []byte("of-all\n"), 0o600))
	_, err = Load(nil, Source{Config: from.in("scans.env"), folder: from.folder}, NeedKey)
	says(t, err, "DOCUTRAY_API_KEY: is not set")
}

func TestCommand(t *testing.T) {
	for want, from := range map[string]Source{
		"docusort retry 3":                             {},
		"docusort --instance scans retry 3":            {Instance: "scans"},
		"docusort --config /etc/x.env retry 3":         {Config: "/etc/x.env"},
		`docusort --config '/a b/it'\''s.env' retry 3`: {Config: "/a b/it's.env"},
	} {
		if got := from.Command("retry 3"); got != want {
			t.Errorf("%+v: %s, want %s", from, got, want)
		}
	}
	for _, wrong := range []Source{{Instance: "a/b"}, {Instance: "-a"}, {Instance: "a", Config: "b"}} {
		if wrong.Check() == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
}

// TestUnderSystemd: what systemd hands over is named by where it stands, and once.
func TestUnderSystemd(t *testing.T) {
	from := Source{folder: t.TempDir()}
	file, credentials := from.in("docusort.env"), t.TempDir()
	lines := "DOCUSORT_WORKERS=many\nDOCUSORT_INOBX=/x\nDOCUSORT_DOCUMENT_TYPES=\n"
	ok(t, os.WriteFile(file, []byte(lines), 0o600))
	ok(t, os.WriteFile(filepath.Join(credentials, CredentialName), []byte("\n"), 0o600))
	_, err := Load(append(strings.Fields(lines), "CREDENTIALS_DIRECTORY="+credentials), from, all)
	says(t, err, "DOCUSORT_WORKERS ("+file+":1)", "DOCUSORT_INOBX ("+file+":2)", "DOCUSORT_DOCUMENT_TYPES ("+file+":3)",
		from.InstalledKey()+" has no usable key: put it there")
	for _, name := range []string{"WORKERS", "INOBX", "DOCUTRAY_API_KEY:"} {
		if n := strings.Count(err.Error(), name); n != 1 {
			t.Errorf("%s is named %d times: %v", name, n, err)
		}
	}
}
