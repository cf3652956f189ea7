package main

import (
	"bytes"
	"fmt"
	"maps"
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
	api      *docutraytest.Server
	posts    atomic.Int64 // answered submissions
	accepted atomic.Int64 // requests that the rate limit let through
}

func startService(o docutraytest.Options) *service {
	o.Seed = 1
	return serve(docutraytest.New(o))
}

// serve makes a server of its own for an API that may have others.
func serve(api *docutraytest.Server) *service {
	s := &service{api: api}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w}
		s.api.ServeHTTP(seen, r)
		if r.Method == http.MethodPost {
			s.posts.Add(1)
		}
		if seen.status != http.StatusTooManyRequests {
			s.accepted.Add(1)
		}
	}))
	return s
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

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

// start starts docusort on a site.
func (b *bench) start(s *site, o docutraytest.Options, settings ...string) *daemon {
	return b.startWith(startService(o), s, settings...)
}

// startWith starts docusort with a service that is there.
func (b *bench) startWith(service *service, s *site, settings ...string) *daemon {
	d := &daemon{service: service, site: s, ended: make(chan struct{})}
	d.cmd = exec.CommandContext(b.ctx, b.docusort, "run", "--config", os.DevNull)
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
	kill := time.AfterFunc(time.Minute, func() { _ = d.cmd.Process.Kill() })
	<-d.ended
	kill.Stop()
	if d.err != nil {
		must(fmt.Errorf("docusort: %w\n%s", d.err, d.log.Bytes()))
	}
	d.Close()
}

// until asks again and again whether something is so.
func (d *daemon) until(what string, limit time.Duration, is func() bool) {
	for deadline := time.Now().Add(limit); !is(); {
		select {
		case <-d.ended:
			must(fmt.Errorf("docusort ended before %s: %w\n%s", what, d.err, d.log.Bytes()))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			must(fmt.Errorf("no %s within %v", what, limit))
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
	workers  int           // of the bare loop
	pause    time.Duration // of the bare loop, before each poll; 0: it polls once
}

// outcome is how a run went.
type outcome struct {
	usage
	wait    time.Duration // from the start of the process to the first upload
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
	s := b.newSite(atStart, w.size)
	d := b.start(s, w.service, w.settings...)
	for i := atStart; i < w.n; i++ {
		s.drop(i, w.size)
		b.sleep(w.every)
	}
	d.awaitFiled(w.n)
	used := usageOf(d.cmd.Process.Pid)
	d.stop()
	defer s.remove()
	return newOutcome(used, d.began, s.allFiled(w.n), d.service)
}

func newOutcome(used usage, began time.Time, filed map[string]time.Time, service *service) *outcome {
	uploads := service.api.Uploads()
	earlier := func(a, b docutraytest.Upload) int { return a.At.Compare(b.At) }
	first := slices.MinFunc(uploads, earlier).At
	last := slices.MaxFunc(slices.Collect(maps.Values(filed)), time.Time.Compare)
	return &outcome{used, first.Sub(began), last.Sub(first), uploads, filed}
}

// msPer returns the processor time for each of n, in milliseconds.
func (o *outcome) msPer(n float64) float64 { return o.cpu.Seconds() * 1000 / n }

// typeCodes are what docusort lets the service choose from.
const typeCodes = "invoice,receipt,contract,letter,purchase_order"

// kinds are texts by which the stand-in knows these types.
var kinds = []string{"Invoice", "Receipt", "Contract", "Dear customer", "Purchase order"}

// site is where one daemon or one bare loop works.
type site struct{ home, inbox, sorted, database string }

// newSite returns a site with n documents in its inbox.
func (b *bench) newSite(n, size int) *site {
	b.sites++
	home := filepath.Join(b.dir, fmt.Sprintf("site-%d", b.sites))
	must(os.MkdirAll(home+"/inbox", 0o755))
	must(os.MkdirAll(home+"/sorted/bare", 0o755)) // a folder for the bare loop
	s := &site{home, home + "/inbox", home + "/sorted", home + "/docusort.db"}
	for i := range n {
		s.drop(i, size)
	}
	syscall.Sync() // as if they had been written long ago
	return s
}

// remove deletes everything and lets the disk come to rest for the next run.
func (s *site) remove() {
	must(os.RemoveAll(s.home))
	syscall.Sync()
}

// drop writes document number i, a PDF, into the inbox and returns its name.
func (s *site) drop(i, size int) (name string) {
	name = fmt.Sprintf("scan-%06d.pdf", i)
	head := fmt.Sprintf("%%PDF-1.4\n1 0 obj << >>\nstream\nBT (%s, number %d) Tj ET\nendstream\nendobj\n%%", kinds[i%len(kinds)], i)
	const end = "\n%%EOF\n"
	body := strings.Repeat("x", size-len(head)-len(end))
	must(os.WriteFile(filepath.Join(s.inbox, name), []byte(head+body+end), 0o644))
	return name
}

// list returns the time of the last change (ctime) of each document, by its name.
func list(pattern string) map[string]time.Time {
	found := map[string]time.Time{}
	for _, path := range got(filepath.Glob(pattern)) {
		if info, err := os.Stat(path); err == nil { // not moved meanwhile
			found[info.Name()] = time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix())
		}
	}
	return found
}

// filed returns the documents in the folders of types, not in _failed.
func (s *site) filed() map[string]time.Time { return list(s.sorted + "/[^_]*/*.pdf") }

// allFiled is filed for the end: all n documents must be there, and nothing else.
func (s *site) allFiled(n int) map[string]time.Time {
	filed, left := s.filed(), list(s.inbox+"/*.pdf")
	if len(filed) != n || len(left) != 0 {
		must(fmt.Errorf("of %d documents %d are filed under a type, and %d are in the inbox", n, len(filed), len(left)))
	}
	return filed
}
