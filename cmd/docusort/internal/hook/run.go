package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"docusort/store"

	"golang.org/x/sys/unix"
)

const (
	timeout   = 30 * time.Second // of one run of the program
	maxOutput = 4096             // bytes of output kept for the log
)

// Check returns why the program at an absolute path cannot be run.
func Check(program string) error {
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return fmt.Errorf("%w: name a program that is there, or leave it out", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a file: name a program", program)
	case unix.Faccessat(unix.AT_FDCWD, program, unix.X_OK, unix.AT_EACCESS) != nil:
		return fmt.Errorf("%q may not be run by user %d: make it executable (chmod +x), or name another program", program, os.Geteuid())
	}
	return nil
}

// output keeps the first bytes that a program writes.
type output struct{ b []byte }

func (o *output) Write(p []byte) (int, error) {
	o.b = append(o.b, p[:min(len(p), maxOutput-len(o.b))]...)
	return len(p), nil
}

// run runs the program for one event until it ends, its time is over or ctx is done,
// and returns the first bytes of its output. command is how docusort is called.
func run(ctx context.Context, program, command string, e *store.Event) (text string, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it took longer than %s and was killed", timeout))
	defer cancel()
	var out output
	cmd := exec.CommandContext(limited, program)
	cmd.Dir, cmd.Env = "/", append(environ(e), "DOCUSORT_EVENT_COMMAND="+command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(encode(e)), &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { // with all that it started
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return os.ErrProcessDone
	}
	cmd.WaitDelay = time.Second // for a child that it left behind with our pipes open
	err = cmd.Run()
	switch {
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil
	case err != nil && limited.Err() != nil:
		err = context.Cause(limited)
	case errors.Is(err, syscall.EPIPE) && cmd.ProcessState != nil && cmd.ProcessState.Success():
		err = nil // it need not read its input
	}
	return string(out.b), err
}
