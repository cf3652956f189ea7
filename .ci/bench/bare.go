package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// bareCommand makes this program the bare loop.
const bareCommand = "bare-loop"

// bare has the bare loop do the work, in a process of its own.
func (b *bench) bare(w workload) *outcome {
	s, service := b.fullSite(w.n, w.size), startService(w.service)
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
	id, _ := l.ask(l.upload(from))
	for done := false; !done; {
		time.Sleep(l.pause)
		_, status := l.ask(got(http.NewRequest(http.MethodGet, l.url+"/api/identify-async/status/"+id, nil)))
		done = l.pause == 0 || status == "SUCCESS"
	}
	must(os.Rename(from, filepath.Join(l.home, "sorted/bare", name)))
}

// upload makes the request that docusort makes. The client closes the file.
func (l *bareLoop) upload(path string) *http.Request {
	file := got(os.Open(path))
	info := got(file.Stat())
	var form bytes.Buffer // it takes everything, so the next calls cannot fail
	w := multipart.NewWriter(&form)
	_ = w.WriteField("document_type_code_options", `["invoice","receipt","contract","letter","purchase_order"]`)
	_ = w.WriteField("image_content_type", "application/pdf")
	_, _ = w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/pdf"},
		"Content-Disposition": {`form-data; name="image"; filename="` + info.Name() + `"`}})
	head := form.Len()
	_ = w.Close()
	body := io.MultiReader(bytes.NewReader(form.Bytes()[:head]), file, bytes.NewReader(form.Bytes()[head:]))
	req := got(http.NewRequest(http.MethodPost, l.url+"/api/identify-async", struct {
		io.Reader
		io.Closer
	}{body, file}))
	req.ContentLength = int64(form.Len()) + info.Size()
	req.Header.Set("Content-Type", w.FormDataContentType())
	return req
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
