package watcher

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// asNobody runs the calling test in a process of a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	exe, err := os.Open("/proc/self/exe") // its folder may be closed to nobody
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	tmp, err := os.MkdirTemp("/tmp", "docusort")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Dir = tmp
	cmd.Env = []string{"TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
