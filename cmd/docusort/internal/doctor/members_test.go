package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

const member, service = 65533, 65534

// TestMendMembers: folders that members made are opened to the group, and nothing else is.
func TestMendMembers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can do that for others")
	}
	d := healthy(t)
	far := t.TempDir()
	folder := func(path string, uid, gid int, mode os.FileMode) {
		noErr(t, os.MkdirAll(path, 0o755))
		noErr(t, os.Chown(path, uid, gid))
		noErr(t, os.Chmod(path, mode))
	}
	noErr(t, os.Chown(d.Inbox, service, service))
	in := func(name string) string { return filepath.Join(d.Inbox, name) }
	folder(in("scans"), member, service, 0o755|os.ModeSetgid)
	folder(in("scans/deeper"), member, service, 0o700)
	folder(in("others"), member, member, 0o755)
	folder(in("own"), service, service, 0o750)
	folder(far, member, service, 0o755)
	noErr(t, os.Symlink(far, in("link")))
	says(t, text(d.MendMembers()), "✓ inbox", "2 folders in it")
	for path, want := range map[string]os.FileMode{
		in("scans"): 0o775 | os.ModeSetgid, in("scans/deeper"): 0o770, in("others"): 0o755, in("own"): 0o750, far: 0o755,
	} {
		info, err := os.Stat(path)
		noErr(t, err)
		if got := info.Mode() & (os.ModePerm | os.ModeSetgid); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	if again := d.MendMembers(); again != nil {
		t.Errorf("and again: %s", text(again))
	}
}
