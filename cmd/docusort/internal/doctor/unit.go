package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"docusort/cmd/docusort/internal/settings"
)

// CheckUnit checks whether the unit lets the service write to its folders, as far as systemd
// tells whoever runs this: ProtectSystem=strict makes all others read-only, for it alone.
func (d Doctor) CheckUnit(ctx context.Context) []Result {
	show := exec.CommandContext(ctx, "systemctl", "show", d.Unit()+".service", "--property",
		"LoadState,ProtectSystem,ProtectHome,PrivateTmp,StateDirectory,ReadWritePaths")
	text, err := show.Output()
	if err != nil || !strings.Contains(string(text), "LoadState=loaded") {
		return nil
	}
	return d.limits(string(text))
}

func (d Doctor) limits(properties string) []Result {
	of := map[string]string{}
	for line := range strings.Lines(properties) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		of[name] = value
	}
	var open []string
	for path := range strings.FieldsSeq(of["ReadWritePaths"]) {
		open = append(open, strings.TrimLeft(path, "+-"))
	}
	for name := range strings.FieldsSeq(of["StateDirectory"]) {
		open = append(open, filepath.Join("/var/lib", name))
	}
	var closed []string
	for _, folder := range d.folders() {
		real, err := filepath.EvalSymlinks(folder)
		if err != nil {
			real = folder
		}
		isOpen := slices.ContainsFunc(open, func(path string) bool { return settings.Inside(real, path) })
		hidden := of["ProtectHome"] != "no" && isHome(real) || of["PrivateTmp"] == "yes" && isTemporary(real)
		if hidden || of["ProtectSystem"] == "strict" && !isOpen {
			closed = append(closed, folder)
		}
	}
	if len(closed) > 0 {
		return []Result{Wrong("unit", "%s", Remedy(d.Unit(), closed))}
	}
	return []Result{OK("unit", "%s.service may write to its folders", d.Unit())}
}

func (d Doctor) folders() []string {
	folders := []string{d.Inbox, d.Sorted, filepath.Dir(d.Database)}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// ClosedByUnit returns those of the folders that only this process, a service, cannot
// write to: their mount is read-only, and what is mounted there is not.
func (d Doctor) ClosedByUnit() (closed []string) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	for _, folder := range d.folders() {
		id := MountOf(folder)
		for at := folder; id == 0 && at != "/"; id = MountOf(at) { // missing, or hidden from it
			at = filepath.Dir(at)
		}
		if readOnlyHere(string(mounts), id) {
			closed = append(closed, folder)
		}
	}
	return closed
}

// readOnlyHere reports whether a mount is read-only and its filesystem is not; see
// proc_pid_mountinfo(5).
func readOnlyHere(mountinfo string, id uint64) bool {
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) > 6 && fields[0] == strconv.FormatUint(id, 10) {
			has := func(options, option string) bool { return slices.Contains(strings.Split(options, ","), option) }
			return has(fields[5], "ro") && has(fields[len(fields)-1], "rw")
		}
	}
	return false
}

// Remedy says how to let a unit write to folders. What was opened before stays open.
func Remedy(unit string, folders []string) string {
	dir := "/etc/systemd/system/" + unit + ".service.d"
	folders, missing := together(folders), ""
	for _, folder := range folders {
		if _, err := os.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
			missing += "install -d -o docusort -g docusort -m 2750 " + folder + " && "
		}
	}
	lines := `[Service]\nReadWritePaths=` + strings.Join(folders, " ") + `\n`
	if slices.ContainsFunc(folders, isHome) {
		lines += `ProtectHome=no\n`
	}
	if slices.ContainsFunc(folders, isTemporary) {
		lines += `PrivateTmp=no\n`
	}
	return fmt.Sprintf("the unit %s keeps %s from the service, or read-only, whatever the disk and the modes allow; this opens them: "+
		"%smkdir -p %s && printf '%s' >>%s/folders.conf && systemctl daemon-reload && systemctl restart %s",
		unit, strings.Join(folders, " and "), missing, dir, lines, dir, unit)
}

// together returns the folder above all folders, where that has a name of its own, so that
// moves between them need no copies; else the folders.
func together(folders []string) []string {
	above := folders[0]
	for _, folder := range folders[1:] {
		for !settings.Inside(folder, above) {
			above = filepath.Dir(above)
		}
	}
	if strings.Count(above, "/") < 2 {
		return folders
	}
	return []string{above}
}

// isTemporary reports whether a folder is where PrivateTmp= gives the service others.
func isTemporary(path string) bool {
	return settings.Inside(path, "/tmp") || settings.Inside(path, "/var/tmp")
}

// isHome reports whether a folder is where ProtectHome= hides all.
func isHome(path string) bool {
	return settings.Inside(path, "/home") || settings.Inside(path, "/root") || settings.Inside(path, "/run/user")
}
