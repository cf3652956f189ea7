package doctor

import (
	"strings"
	"testing"

	"docusort/cmd/docusort/internal/settings"
)

// TestUnitLimits: what a unit keeps read-only is found beforehand, with the drop-in that
// opens it.
func TestUnitLimits(t *testing.T) {
	const strict = "ProtectSystem=strict\nProtectHome=yes\nStateDirectory=docusort\n"
	for properties, c := range map[string]struct {
		inbox, sorted string
		says          string
	}{
		strict: {"/var/lib/docusort/inbox", "/var/lib/docusort/sorted", "✓ unit  docusort.service may write"},
		strict + "ReadWritePaths=/x -/srv/scans\n":        {"/srv/scans/in", "/srv/scans/out", "✓ unit"},
		"ProtectSystem=full\nProtectHome=no\n":            {"/srv/in", "/home/out", "✓ unit"},
		strict + "ReadWritePaths=/home\nProtectHome=no\n": {"/home/in", "/var/lib/docusort/sorted", "✓ unit"},
		strict + "ReadWritePaths=/srv/scans2\n": {"/srv/scans/in", "/srv/scans/out", `ReadWritePaths=/srv/scans\n' ` +
			`>>/etc/systemd/system/docusort.service.d/folders.conf && systemctl daemon-reload && systemctl restart docusort`},
		strict + "PrivateTmp=yes\nReadWritePaths=/tmp\n": {"/tmp/in", "/var/lib/docusort/sorted", `ReadWritePaths=/tmp/in\nPrivateTmp=no\n`},
		strict + "ReadWritePaths=\n":                     {"/srv/in", "/mnt/out", `[Service]\nReadWritePaths=/mnt/out /srv/in\n`},
		strict + "ReadWritePaths=/home\n":                {"/home/in", "/var/lib/docusort/sorted", `ReadWritePaths=/home/in\nProtectHome=no\n`},
	} {
		d := Doctor{Settings: &settings.Settings{Inbox: c.inbox, Sorted: c.sorted, Database: "/var/lib/docusort/docusort.db"}}
		got := text(d.limits(properties))
		says(t, got, c.says)
		if strings.HasPrefix(got, "✗") == strings.HasPrefix(c.says, "✓") {
			t.Errorf("%s: %s", properties, got)
		}
	}
}

// TestReadOnlyHere: the unit's limits are told from those of the disk.
func TestReadOnlyHere(t *testing.T) {
	const mounts = "21 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw\n" +
		"22 21 8:2 / /srv ro,relatime master:2 - ext4 /dev/sdb1 ro,errors=remount-ro\n" +
		"23 21 8:1 /var/lib/docusort /var/lib/docusort rw,relatime - ext4 /dev/sda1 rw\n"
	for id, want := range map[uint64]bool{21: true, 22: false, 23: false, 24: false} {
		if got := readOnlyHere(mounts, id); got != want {
			t.Errorf("mount %d: %v", id, got)
		}
	}
}
