package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// What this binary is to do as another process, and with which database.
const (
	childJob  = "DOCUSORT_STORE_TEST_CHILD"
	childPath = "DOCUSORT_STORE_TEST_DATABASE"
)

// runChild is the other process. It prints one line when it has done its job,
// and may then stay until it is killed.
func runChild(job string) int {
	path := os.Getenv(childPath)
	var line string
	var err error
	switch job {
	case "daemon":
		line, err = childDaemon(path)
	case "open":
		var s *Store
		if s, err = Open(ctx, Config{Path: path}); err == nil {
			line, err = "opened", s.Close()
		}
	case "lock":
		err = childLock(path)
	case "read":
		line, err = childReader(path)
	}
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println(line)
	if stays(job) {
		_, _ = io.Copy(io.Discard, os.Stdin) // until killed
	}
	return 0
}

func stays(job string) bool { return job == "daemon" || job == "lock" }

// childLock takes the lock that whoever may read a -shm file can take, or the one
// that keeps others from opening a database.
func childLock(path string) error {
	const pendingByte = 0x40000000 // sqlite.org/fileformat2.html
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, "-shm") {
		return setLock(f, syscall.F_SETLK, syscall.F_RDLCK, 0, 0)
	}
	return setLock(f, syscall.F_SETLK, syscall.F_WRLCK, pendingByte, 1)
}

func childDaemon(path string) (string, error) {
	s, err := Open(ctx, Config{Path: path})
	if err != nil {
		return "", err
	}
	err = s.Started(ctx, os.Getpid())
	for i := range 3 {
		err = errors.Join(err, errOf(s.Admit(ctx, found(fmt.Sprintf("child-%d", i), fmt.Sprint(i)))))
	}
	return "ready", errors.Join(err, s.SetHold(ctx, &Hold{Kind: HoldAccount, Reason: "401"}))
}

func childReader(path string) (string, error) {
	r, err := OpenReader(ctx, path)
	if err != nil {
		return "", err
	}
	defer r.Close()
	summary, err := r.Summary(ctx, Filter{})
	if err != nil {
		return "", err
	}
	daemon, err := r.Daemon(ctx)
	return fmt.Sprintf("%d waiting, running %v, held %v", summary.Totals[Waiting], daemon.Running, daemon.Hold != nil), err
}

// startChild runs this binary as another process and returns what it says; one
// that stays is left running.
func startChild(t *testing.T, job, path string, user *syscall.Credential) (*exec.Cmd, string) {
	t.Helper()
	exe := must[string](t)(os.Executable())
	if user != nil { // the build's folder is closed to others
		public := publicFolder(t) + "/child"
		check1(t, os.WriteFile(public, must[[]byte](t)(os.ReadFile(exe)), 0o755))
		check1(t, os.Chmod(public, 0o755))
		exe = public
	}
	c := exec.Command(exe)
	c.Env = []string{childJob + "=" + job, childPath + "=" + path, "GORACE=atexit_sleep_ms=0"}
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: user, Pdeathsig: syscall.SIGKILL}
	in := must[io.WriteCloser](t)(c.StdinPipe())
	out := must[io.ReadCloser](t)(c.StdoutPipe())
	c.Stderr = t.Output()
	check1(t, c.Start())
	var line strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := out.Read(b); err != nil || b[0] == '\n' {
			break
		}
		line.Write(b)
	}
	if !stays(job) {
		_ = c.Wait()
		return nil, line.String()
	}
	t.Cleanup(func() {
		in.Close()
		kill(c)
	})
	return c, line.String()
}

// kill ends a daemon as a power cut would.
func kill(c *exec.Cmd) {
	if c.ProcessState == nil {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// publicFolder is one that every user can look into; those of a test are not.
func publicFolder(t *testing.T) string {
	t.Helper()
	dir := must[string](t)(os.MkdirTemp("", "docusort-store-"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	check1(t, os.Chmod(dir, 0o755))
	return dir
}
