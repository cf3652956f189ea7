package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// bareCommand makes this program the bare loop.
const bareCommand = "bare-loop"

// bare has the bare loop do the work, in a process of its own.
func (b *bench) bare(w workload) *outcome {
	s, service := b.newSite(w.n, w.size), startService(w.service)
	defer service.Close()
	cmd := exec.CommandContext(b.ctx, got(os.Executable()), bareCommand, service.URL, s.home, strconv.Itoa(w.workers), w.pause.String())
	cmd.Stderr = os.Stderr
	began := time.Now()
	peak := got(strconv.ParseFloat(string(got(cmd.Output())), 64))
	used := usage{peak: peak, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	defer s.remove()
	return newOutcome(used, began, s.allFiled(w.n), service)
}

// bareLoop posts each file of a folder, asks for its job and renames the file. An
// error ends the process.
type bareLoop struct {
	url, home string
	pause     time.Duration
	client    http.Client
}

// bareMain is the program as the bare loop. It prints its peak memory in megabytes.
func bareMain(args []string) {
	workers := got(strconv.Atoi(args[2]))
	l := bareLoop{url: args[0], home: args[1], pause: got(time.ParseDuration(args[3]))}
	l.client.Transport = &http.Transport{MaxIdleConnsPerHost: workers, WriteBufferSize: 64 << 10}
	names := make(chan string)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for name := range names {
				l.document(name)
			}
		})
	}
	for _, e := range got(os.ReadDir(filepath.Join(l.home, "inbox"))) {
		names <- e.Name()
	}
	close(names)
	wg.Wait()
	fmt.Print(usageOf(os.Getpid()).peak)
}

func (l *bareLoop) document(name string) {
	from := filepath.Join(l.home, "inbox", name)
	id := l.upload(from)
	for done := false; !done; {
		time.Sleep(l.pause)
		_, status := l.ask(got(http.NewRequest(http.MethodGet, l.url+"/api/identify-async/status/"+id, nil)))
		done = l.pause == 0 || status == "SUCCESS"
	}
	must(os.Rename(from, filepath.Join(l.home, "sorted/bare", name)))
}

// upload sends the form that docusort sends, and returns the job's id.
func (l *bareLoop) upload(path string) (id string) {
	file := got(os.Open(path))
	defer file.Close()
	info := got(file.Stat())
	head := "--frame\r\nContent-Disposition: form-data; name=\"document_type_code_options\"\r\n\r\n" +
		`["invoice","receipt","contract","letter","purchase_order"]` + "\r\n" +
		"--frame\r\nContent-Disposition: form-data; name=\"image_content_type\"\r\n\r\napplication/pdf\r\n" +
		"--frame\r\nContent-Disposition: form-data; name=\"image\"; filename=\"" + info.Name() + "\"\r\n" +
		"Content-Type: application/pdf\r\n\r\n"
	const tail = "\r\n--frame--\r\n"
	req := got(http.NewRequest(http.MethodPost, l.url+"/api/identify-async",
		io.MultiReader(strings.NewReader(head), file, strings.NewReader(tail))))
	req.ContentLength = int64(len(head)+len(tail)) + info.Size()
	req.Header.Set("Content-Type", "multipart/form-data; boundary=frame")
	id, _ = l.ask(req)
	return id
}

// ask returns the job's id and status.
func (l *bareLoop) ask(req *http.Request) (id, status string) {
	req.Header.Set("Authorization", "Bearer "+docutraytest.DefaultKey)
	resp := got(l.client.Do(req))
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		must(fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, resp.Status))
	}
	var job struct{ ID, Status string }
	must(json.NewDecoder(resp.Body).Decode(&job))
	return job.ID, job.Status
}
