package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"docusort/pipeline/filing"
)

// disk makes operations of the database fail.
type disk struct{ trouble atomic.Pointer[diskTrouble] }

type diskTrouble struct {
	op  string // the operation that fails
	err error
}

func (d *disk) fails(op string) error {
	if t := d.trouble.Load(); t != nil && t.op == op {
		return t.err
	}
	return nil
}

// set makes an operation fail from now on; "" none.
func (d *disk) set(op string, code sqlite3.ErrNo) {
	d.trouble.Store(&diskTrouble{op, sqlite3.Error{Code: code}})
}

// faulty makes a Mover whose operation fails while the error is not nil.
func faulty(op string) (*filing.Mover, *atomic.Pointer[syscall.Errno]) {
	var fault atomic.Pointer[syscall.Errno]
	return filing.NewMover(filing.Options{Fault: func(o string, done bool) error {
		if e := fault.Load(); e != nil && o == op && !done {
			return *e
		}
		return nil
	}}), &fault
}

// small mounts a small filesystem of its own at a folder.
func small(t *testing.T, at, options string) {
	t.Helper()
	must(t, os.MkdirAll(at, 0o755))
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, options); err != nil {
		t.Skipf("a filesystem of its own needs a superuser: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(at, syscall.MNT_DETACH)) })
}

// fill takes all the room there is.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	must(t, err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(ballast)) }
}

// fastDir is a temporary folder where a sync costs nothing, if there is one.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "pipeline")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// asNobody runs the calling test again in a process without privileges, where this one
// has some. It reports whether this process has none.
func asNobody(t *testing.T) (isNobody bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	exe, err := os.Open("/proc/self/exe") // its folder may be closed to nobody
	must(t, err)
	defer exe.Close()
	tmp, err := os.MkdirTemp("/tmp", "docusort")
	must(t, err)
	defer os.RemoveAll(tmp)
	must(t, os.Chmod(tmp, 0o777))
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Dir = tmp
	cmd.Env = []string{"TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	} else if strings.Contains(string(out), "no tests to run") {
		t.Errorf("nothing was run as nobody\n%s", out)
	}
	return false
}
