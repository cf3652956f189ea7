package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"docusort/store"

	"golang.org/x/sys/unix"
)

// limit is how long the program may take for one event.
const limit = 30 * time.Second

// maxOutput is how many bytes of what the program writes are kept.
const maxOutput = 4096

// Check says why a program cannot be run.
func Check(program string) error {
	if !filepath.IsAbs(program) {
		return fmt.Errorf("%q is not a whole path", program)
	}
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return fmt.Errorf("%w: name a program that is there, or leave it out", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is no file: name a program", program)
	case unix.Faccessat(unix.AT_FDCWD, program, unix.X_OK, unix.AT_EACCESS) != nil:
		return fmt.Errorf("%q may not be run by user %d: make it executable (chmod +x), or name another program", program, os.Geteuid())
	}
	return nil
}

// kept is the beginning of what a program writes.
type kept struct{ b []byte }

func (k *kept) Write(p []byte) (int, error) {
	k.b = append(k.b, p[:min(len(p), maxOutput-len(k.b))]...)
	return len(p), nil
}

// tell runs the program for one event, until it ends, its time is over, or ctx
// is done, and returns the beginning of what it wrote.
func tell(ctx context.Context, program, path string, e *store.Event) (output string, err error) {
	within, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %s and was killed", limit))
	defer cancel()
	var out kept
	cmd := exec.CommandContext(within, program)
	cmd.Dir, cmd.Env = "/", environ(e, path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(encode(e)), &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return os.ErrProcessDone
	}
	cmd.WaitDelay = time.Second // for what it started and left behind, with our pipes open
	err = cmd.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return string(out.b), nil
	case within.Err() != nil:
		return string(out.b), context.Cause(within)
	case errors.Is(err, syscall.EPIPE) && cmd.ProcessState != nil && cmd.ProcessState.Success():
		return string(out.b), nil // it need not read what it does not want
	}
	return string(out.b), err
}
