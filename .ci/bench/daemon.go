package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// brisk are settings under which docusort itself is what takes the time.
var brisk = []string{"DOCUSORT_WORKERS=16", "DOCUSORT_MAX_PENDING=1000", "DOCUSORT_POLL_MIN=1ms", "DOCUSORT_SETTLE=1s"}

// service is the stand-in. It runs in this process.
type service struct {
	*httptest.Server
	api   *docutraytest.Server
	posts atomic.Int64 // answered submissions
}

func startService(o docutraytest.Options) *service {
	o.Seed = 1
	s := &service{api: docutraytest.New(o)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.api.ServeHTTP(w, r)
		if r.Method == http.MethodPost {
			s.posts.Add(1)
		}
	}))
	return s
}

// daemon is a docusort that runs.
type daemon struct {
	*service
	site  *site
	cmd   *exec.Cmd
	log   bytes.Buffer // complete once it has ended
	began time.Time
	ended chan struct{}
	err   error // once ended
}

// start starts docusort on a site. A program before it, such as strace, must exec it.
func (b *bench) start(s *site, o docutraytest.Options, before []string, settings ...string) *daemon {
	d := &daemon{service: startService(o), site: s, ended: make(chan struct{})}
	command := append(before[:len(before):len(before)], b.docusort, "run", "--config", os.DevNull)
	d.cmd = exec.CommandContext(b.ctx, command[0], command[1:]...)
	d.cmd.Stderr = &d.log
	d.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "DOCUSORT_HOME=" + s.home, "DOCUSORT_DOCUMENT_TYPES=" + typeCodes,
		"DOCUTRAY_BASE_URL=" + d.URL, "DOCUTRAY_API_KEY=" + docutraytest.DefaultKey}, settings...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	d.began = time.Now()
	must(d.cmd.Start())
	go func() {
		d.err = d.cmd.Wait()
		close(d.ended)
	}()
	return d
}

// stop ends docusort with SIGTERM, and its service.
func (d *daemon) stop() {
	must(d.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		d.fail("still runs a minute after SIGTERM")
	}
	if d.err != nil {
		d.fail("stopped: " + d.err.Error())
	}
	d.Close()
}

func (d *daemon) fail(what string) {
	_ = d.cmd.Process.Kill()
	<-d.ended
	must(fmt.Errorf("docusort %s\n%s", what, d.log.Bytes()[max(0, d.log.Len()-2000):]))
}

// until asks again and again whether something is so.
func (d *daemon) until(what string, limit time.Duration, is func() bool) {
	for deadline := time.Now().Add(limit); !is(); {
		select {
		case <-d.ended:
			d.fail("ended before " + what)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			d.fail("was too slow: no " + what)
		}
	}
}

// awaitFiled waits until docusort has filed n documents.
func (d *daemon) awaitFiled(n int) {
	limit := 2*time.Minute + time.Duration(n)*100*time.Millisecond
	d.until("all submissions", limit, func() bool { return d.posts.Load() >= int64(n) })
	d.until("all documents in sorted", limit, func() bool { return len(d.site.filed()) >= n })
}

// usage is what a process has used so far.
type usage struct {
	cpu          time.Duration // in steps of 10 ms
	memory, peak float64       // MB
	wakeups      float64       // times that a thread waited
}

func usageOf(pid int) (u usage) {
	proc := fmt.Sprintf("/proc/%d", pid)
	status := string(got(os.ReadFile(proc + "/status")))
	u.memory, u.peak = field(status, "VmRSS")/1024, field(status, "VmHWM")/1024
	for _, task := range got(filepath.Glob(proc + "/task/*/status")) {
		u.wakeups += field(string(got(os.ReadFile(task))), "voluntary_ctxt_switches")
	}
	// utime and stime are the 14th and 15th field. The second is a name in brackets.
	stat := string(got(os.ReadFile(proc + "/stat")))
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	ticks := got(strconv.Atoi(fields[11])) + got(strconv.Atoi(fields[12]))
	u.cpu = time.Duration(ticks) * 10 * time.Millisecond
	return u
}

// field returns a number in a file such as /proc/PID/status.
func field(status, name string) float64 {
	_, rest, _ := strings.Cut(status, "\n"+name+":")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	return got(strconv.ParseFloat(strings.TrimSuffix(number, " kB"), 64))
}

// sleep waits, or ends the case when it is interrupted.
func (b *bench) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
		must(b.ctx.Err())
	}
}

// workload is what docusort or the bare loop has to do in one run.
type workload struct {
	n, size  int           // documents, and bytes of each
	every    time.Duration // from one document to the next; 0: all are there at the start
	service  docutraytest.Options
	settings []string      // of docusort
	before   []string      // a program before docusort
	workers  int           // of the bare loop
	pause    time.Duration // of the bare loop, before each poll; 0: it polls once
}

// outcome is how a run went.
type outcome struct {
	usage
	began   time.Time     // the process
	first   time.Time     // the first upload
	took    time.Duration // from the first upload to the last document filed
	uploads []docutraytest.Upload
	filed   map[string]time.Time // by name
}

// file has docusort do the work.
func (b *bench) file(w workload) *outcome {
	atStart := w.n
	if w.every > 0 {
		atStart = 0
	}
	s := b.fullSite(atStart, w.size)
	d := b.start(s, w.service, w.before, w.settings...)
	var idle usage // without the start, where documents come one by one
	if w.every > 0 {
		b.sleep(time.Second)
		idle = usageOf(d.cmd.Process.Pid)
	}
	for i := atStart; i < w.n; i++ {
		s.drop(i, w.size)
		b.sleep(w.every)
	}
	d.awaitFiled(w.n)
	used := usageOf(d.cmd.Process.Pid)
	used.cpu -= idle.cpu
	d.stop()
	defer s.remove()
	return newOutcome(used, d.began, s.allFiled(w.n), d.service)
}

func newOutcome(used usage, began time.Time, filed map[string]time.Time, service *service) *outcome {
	o := &outcome{usage: used, began: began, uploads: service.api.Uploads(), filed: filed}
	earlier := func(a, b docutraytest.Upload) int { return a.Arrived.Compare(b.Arrived) }
	o.first = slices.MinFunc(o.uploads, earlier).Arrived
	for _, at := range filed {
		o.took = max(o.took, at.Sub(o.first))
	}
	return o
}

// msPer returns the processor time for each of n, in milliseconds.
func (o *outcome) msPer(n float64) float64 { return o.cpu.Seconds() * 1000 / n }
