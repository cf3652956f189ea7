package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// deadline is how long anything may take that is waited for. It is long, because
// machines are slow; nothing takes it when all is well.
const deadline = 90 * time.Second

// tail is how many bytes of what a process wrote are shown where a test fails.
const tail = 4000

// child is a docusort of its own.
type child struct {
	t              testing.TB
	name           string
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
}

// output is what a process writes, to be read while it does.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs docusort in a process of its own, with the world's settings.
func (w *world) start(d death, args ...string) *child {
	w.t.Helper()
	c := w.child(d, args...)
	c.begin()
	return c
}

// child makes a process that is not yet started.
func (w *world) child(d death, args ...string) *child {
	w.t.Helper()
	exe, err := os.Executable()
	noErr(w.t, err)
	text, err := json.Marshal(d)
	noErr(w.t, err)
	c := &child{t: w.t, name: strings.Join(args, " ") + ", " + d.String(), ended: make(chan struct{})}
	c.cmd = exec.Command(exe, append([]string{"--config", w.config()}, args...)...)
	c.cmd.Env = append(w.environ(), childVariable+"="+string(text))
	c.cmd.Dir = filepath.Join(w.dir, "elsewhere")
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	w.children = append(w.children, c)
	return c
}

func (c *child) begin() {
	c.t.Helper()
	noErr(c.t, c.cmd.Start())
	go func() {
		_ = c.cmd.Wait() // what it says is in ProcessState
		close(c.ended)
	}()
	c.t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.ended
		if c.t.Failed() {
			text := c.stdout.String() + c.stderr.String()
			c.t.Logf("%s wrote:\n%s", c.name, text[max(0, len(text)-tail):])
		}
	})
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	noErr(c.t, c.cmd.Process.Signal(s))
}

// wait returns the exit code, or minus the signal that ended the process.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(deadline):
		c.t.Fatalf("%s did not end", c.name)
	}
	if s := c.cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		return -int(s.Signal())
	}
	return c.cmd.ProcessState.ExitCode()
}

// says waits until the process has written something.
func (c *child) says(text string) {
	c.t.Helper()
	for end := time.Now().Add(deadline); !strings.Contains(c.stdout.String()+c.stderr.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%s does not say %q", c.name, text)
		}
	}
}

// exits waits for the end, which must be this one.
func (c *child) exits(want int) {
	c.t.Helper()
	if got := c.wait(); got != want {
		c.t.Fatalf("%s ended with %d, not with %d", c.name, got, want)
	}
}

const killed = -int(syscall.SIGKILL)

// dies waits for the death that was asked for, and looks at what is left.
func (w *world) dies(c *child) {
	w.t.Helper()
	c.exits(killed)
	w.autopsy()
}

// stop ends a daemon as systemd does.
func (w *world) stop(c *child) {
	w.t.Helper()
	c.signal(syscall.SIGTERM)
	c.exits(exitDone)
}
