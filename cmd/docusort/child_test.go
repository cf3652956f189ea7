package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// deadline is how long tests wait for anything: long enough for slow machines.
const deadline = 90 * time.Second

// poll waits until is returns true.
func poll(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", deadline, what)
		}
	}
}

// child is docusort in a process of its own.
type child struct {
	w              *world
	name           string
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
}

// output is what a process writes; it can be read meanwhile.
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
func (w *world) start(args ...string) *child {
	w.t.Helper()
	return w.startInjected(injection{}, args...)
}

func (w *world) startInjected(i injection, args ...string) *child {
	w.t.Helper()
	c := w.childInjected(i, args...)
	c.begin()
	return c
}

// child makes a process that is not started yet.
func (w *world) child(args ...string) *child {
	w.t.Helper()
	return w.childInjected(injection{}, args...)
}

func (w *world) childInjected(i injection, args ...string) *child {
	w.t.Helper()
	exe, err := os.Executable()
	noErr(w.t, err)
	text, err := json.Marshal(i)
	noErr(w.t, err)
	c := &child{w: w, name: strings.Join(args, " ") + ", " + i.String(), ended: make(chan struct{})}
	c.cmd = exec.Command(exe, append([]string{"--config", w.config()}, args...)...)
	c.cmd.Env = append(w.environ(), childVariable+"="+string(text))
	c.cmd.Dir = filepath.Join(w.dir, "elsewhere")
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	w.children = append(w.children, c)
	return c
}

// frozen reports whether every thread of a process is stopped and has left the kernel.
func frozen(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	noErr(t, err)
	stopped := 0
	for _, file := range threads {
		// "PID (NAME) STATE …", see proc(5).
		stat, _ := os.ReadFile(file)
		if strings.Contains(string(stat), ") T ") {
			stopped++
		}
	}
	return stopped > 0 && stopped == len(threads)
}

// nobody is a user and group without any rights of its own.
const nobody = 65534

// asNobody makes it a process of that user.
func (c *child) asNobody() {
	t := c.w.t
	t.Helper()
	noErr(t, os.Chmod(c.w.dir, 0o755))
	noErr(t, os.Chown(c.w.config(), nobody, nobody)) // it holds the key, and is for nobody else to read
	c.cmd.Path = publicCopy(t, c.cmd.Path)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// giveToNobody makes that user the owner of everything.
func (w *world) giveToNobody() {
	w.t.Helper()
	noErr(w.t, os.Chmod(w.dir, 0o755))
	noErr(w.t, filepath.WalkDir(w.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody))
	}))
}

func (w *world) startAsNobody(args ...string) *child {
	w.t.Helper()
	c := w.child(args...)
	c.asNobody()
	c.begin()
	return c
}

// publicCopy makes a copy of a program that everybody may run.
func publicCopy(t *testing.T, program string) string {
	t.Helper()
	dir := fastDir(t)
	noErr(t, os.Chmod(dir, 0o755))
	from, err := os.Open(program)
	noErr(t, err)
	defer from.Close()
	// A process that is forked meanwhile has the file open for writing until it
	// becomes another program, and what is open for writing cannot be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	to, err := os.OpenFile(filepath.Join(dir, "docusort"), os.O_CREATE|os.O_WRONLY, 0o755)
	noErr(t, err)
	_, err = io.Copy(to, from)
	noErr(t, err)
	noErr(t, to.Close())
	return to.Name()
}

func (c *child) begin() {
	c.w.t.Helper()
	noErr(c.w.t, c.cmd.Start())
	go func() {
		_ = c.cmd.Wait() // the result is in ProcessState
		close(c.ended)
	}()
	c.w.t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.ended
		if c.w.t.Failed() {
			const tail = 4000
			text := c.stdout.String() + c.stderr.String()
			c.w.t.Logf("%s wrote:\n%s", c.name, text[max(0, len(text)-tail):])
		}
	})
}

func (c *child) signal(s os.Signal) {
	c.w.t.Helper()
	noErr(c.w.t, c.cmd.Process.Signal(s))
}

// wait returns the exit code, or minus the signal that ended the process.
func (c *child) wait() int {
	c.w.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(deadline):
		c.w.t.Fatalf("%s did not end", c.name)
	}
	if s := c.cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		return -int(s.Signal())
	}
	return c.cmd.ProcessState.ExitCode()
}

// running ends the test if the process has ended.
func (c *child) running() {
	c.w.t.Helper()
	select {
	case <-c.ended:
		c.w.t.Fatalf("%s ended with %d", c.name, c.wait())
	default:
	}
}

// waitOutput waits until the process has written a text.
func (c *child) waitOutput(text string) {
	c.w.t.Helper()
	poll(c.w.t, c.name+" writes "+text, func() bool { return strings.Contains(c.stdout.String()+c.stderr.String(), text) })
}

// waitExit waits for the end of the process, with this exit code and after it wrote
// these texts.
func (c *child) waitExit(want int, texts ...string) {
	c.w.t.Helper()
	if got := c.wait(); got != want {
		c.w.t.Fatalf("%s ended with %d, not with %d", c.name, got, want)
	}
	checkContains(c.w.t, c.stdout.String()+c.stderr.String(), texts...)
}

const killed = -int(syscall.SIGKILL)

// waitKilled waits until the process was killed, and checks what it left.
func (w *world) waitKilled(c *child) {
	w.t.Helper()
	c.waitExit(killed)
	w.checkKilled()
}

// kill kills a process, and checks what it left.
func (w *world) kill(c *child) {
	w.t.Helper()
	_ = c.cmd.Process.Kill()
	w.waitKilled(c)
}

// stop ends a daemon as systemd does, which waits until it has started.
func (w *world) stop(c *child) {
	w.t.Helper()
	c.waitOutput(logStarted)
	c.signal(syscall.SIGTERM)
	c.waitExit(exitDone)
}
