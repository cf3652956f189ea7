package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that was started.
type process struct {
	name  string
	cmd   *exec.Cmd
	pid   int    // whom to look at and to stop; where it runs under another program, not that one
	log   string // what it writes on stderr
	began time.Time
	ended chan struct{}
	err   error // once ended
	once  sync.Once
}

// stopLimit is how long a program may take to end before it is killed.
const stopLimit = 60 * time.Second

// start runs a program in a process group of its own, so that an interrupt from
// the keyboard reaches this one only. It dies with this one.
func (b *bench) start(name string, env []string, command ...string) (*process, error) {
	return b.startTo(nil, name, env, command...)
}

// startTo is start with a place for the standard output.
func (b *bench) startTo(stdout *os.File, name string, env []string, command ...string) (*process, error) {
	p := &process{name: name, cmd: exec.Command(command[0], command[1:]...), ended: make(chan struct{})}
	log, err := os.CreateTemp(b.dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.log = log.Name()
	p.cmd.Stderr = log
	if stdout != nil {
		p.cmd.Stdout = stdout
	}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.pid = p.cmd.Process.Pid
	b.running = append(b.running, p)
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends it in good order.
func (p *process) stop() error {
	p.once.Do(func() {
		select {
		case <-p.ended:
			return
		default:
		}
		_ = syscall.Kill(p.pid, syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(stopLimit):
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.ended
			p.err = fmt.Errorf("did not end within %v", stopLimit)
		}
	})
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, p.err, p.lastWords())
	}
	return nil
}

// lastWords are the end of what it wrote.
func (p *process) lastWords() string {
	text, _ := os.ReadFile(p.log)
	return string(text[max(0, len(text)-2000):])
}

// awaitLog returns what follows a text in its log, up to the end of the line.
func (p *process) awaitLog(ctx context.Context, text string) (rest string, err error) {
	err = p.until(ctx, "log line with "+text, 30*time.Second, 2*time.Millisecond, func() (bool, error) {
		log, err := os.ReadFile(p.log)
		_, after, found := bytes.Cut(log, []byte(text))
		line, _, whole := bytes.Cut(after, []byte("\n"))
		rest = string(line)
		return found && whole, err
	})
	return rest, err
}

// until asks again and again; the end of the program is the end of the waiting.
func (p *process) until(ctx context.Context, what string, limit, pause time.Duration, is func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for {
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.ended:
			return fmt.Errorf("%s ended: %w\n%s", p.name, p.err, p.lastWords())
		case <-time.After(pause):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: no %s within %v\n%s", p.name, what, limit, p.lastWords())
		}
	}
}

// status returns a field of /proc/PID/status, in its own unit.
func (p *process) status(field string) (float64, error) {
	return statusOf(filepath.Join("/proc", strconv.Itoa(p.pid), "status"), field)
}

func statusOf(file, field string) (float64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			return strconv.ParseFloat(strings.Fields(rest)[0], 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, field)
}

// megabytes returns a field of its memory: VmHWM is the peak, VmRSS the present.
func (p *process) megabytes(field string) (float64, error) {
	kb, err := p.status(field)
	return kb / 1024, err
}

// work is what a process did so far, all its threads together.
type work struct {
	cpu      time.Duration
	switches float64 // times that a thread gave up the processor to wait
}

func (p *process) work() (w work, err error) {
	tasks, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(p.pid), "task", "*"))
	if err == nil && len(tasks) == 0 {
		err = errors.New(p.name + " has ended")
	}
	for _, task := range tasks {
		n, failed := statusOf(filepath.Join(task, "status"), "voluntary_ctxt_switches")
		w.switches += n
		err = errors.Join(err, failed)
	}
	text, failed := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "stat"))
	if err = errors.Join(err, failed); err != nil {
		return w, err
	}
	// The name, in brackets, may hold anything; utime and stime are the 14th and
	// 15th field, in hundredths of a second.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	for _, field := range fields[11:13] {
		ticks, failed := strconv.ParseInt(field, 10, 64)
		w.cpu += time.Duration(ticks) * 10 * time.Millisecond
		err = errors.Join(err, failed)
	}
	return w, err
}
