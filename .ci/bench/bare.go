package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"time"

	"docusort/pipeline/docutray/docutraytest"

	"golang.org/x/sync/errgroup"
)

// bareCommand makes this program be the bare loop.
const bareCommand = "bare-loop"

// bareLoop posts each file of a folder, asks for its job and renames the file.
// That is all: nothing is stored, checked, synced or tried again.
type bareLoop struct {
	url, inbox, sorted string
	workers            int
	pause              time.Duration // between two questions for a job; 0: one question is enough
	client             http.Client
}

// bareResult is what it tells its parent.
type bareResult struct {
	Seconds float64 `json:"seconds"` // from the first POST to the last rename
	PeakMB  float64 `json:"peak_mb"`
}

// bareMain is the program as a bare loop.
func bareMain(args []string) int {
	var l bareLoop
	f := flag.NewFlagSet(bareCommand, flag.ExitOnError)
	f.StringVar(&l.url, "url", "", "")
	f.StringVar(&l.inbox, "inbox", "", "")
	f.StringVar(&l.sorted, "sorted", "", "")
	f.IntVar(&l.workers, "workers", 16, "")
	f.DurationVar(&l.pause, "pause", 0, "")
	_ = f.Parse(args) // it exits on errors
	l.client.Transport = &http.Transport{MaxIdleConnsPerHost: 2 * l.workers, WriteBufferSize: 64 << 10}
	r, err := l.run()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bare loop:", err)
		return 1
	}
	return 0
}

func (l *bareLoop) run() (r bareResult, err error) {
	entries, err := os.ReadDir(l.inbox)
	if err != nil {
		return r, err
	}
	began := time.Now()
	var g errgroup.Group
	g.SetLimit(l.workers)
	for _, e := range entries {
		g.Go(func() error { return l.document(e.Name()) })
	}
	err = g.Wait()
	r.Seconds = time.Since(began).Seconds()
	peak, failed := statusOf("/proc/self/status", "VmHWM")
	r.PeakMB = peak / 1024
	return r, errors.Join(err, failed)
}

// document is the whole way of one.
func (l *bareLoop) document(name string) error {
	var job struct{ ID, Status string }
	if err := l.post(name, &job); err != nil {
		return err
	}
	for {
		if l.pause > 0 {
			time.Sleep(l.pause)
		}
		req, err := http.NewRequest(http.MethodGet, l.url+"/api/identify-async/status/"+job.ID, nil)
		if err != nil {
			return err
		}
		if err := l.ask(req, &job); err != nil {
			return err
		}
		if l.pause == 0 || job.Status == "SUCCESS" {
			break
		}
	}
	return os.Rename(filepath.Join(l.inbox, name), filepath.Join(l.sorted, name))
}

// post sends the fields and the file in the form that the client gives them.
func (l *bareLoop) post(name string, answer any) error {
	file, err := os.Open(filepath.Join(l.inbox, name))
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	_ = w.WriteField("document_type_code_options", `["invoice","receipt","contract","letter","purchase_order"]`)
	_ = w.WriteField("image_content_type", "application/pdf")
	_, _ = w.CreatePart(textproto.MIMEHeader{ // a buffer takes everything
		"Content-Disposition": {`form-data; name="image"; filename="` + name + `"`}, "Content-Type": {"application/pdf"}})
	head := frame.Len()
	_ = w.Close()
	all := frame.Bytes()
	req, err := http.NewRequest(http.MethodPost, l.url+"/api/identify-async",
		io.MultiReader(bytes.NewReader(all[:head]), file, bytes.NewReader(all[head:])))
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(all)) + info.Size()
	req.Header.Set("Content-Type", w.FormDataContentType())
	return l.ask(req, answer)
}

func (l *bareLoop) ask(req *http.Request, answer any) error {
	req.Header.Set("Authorization", "Bearer "+docutraytest.DefaultKey)
	resp, err := l.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// runBare runs the bare loop in a process of its own.
func (b *bench) runBare(ctx context.Context, s *site, service *standIn, flags ...string) (r bareResult, cpu time.Duration, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, 0, err
	}
	out, err := os.Create(filepath.Join(s.home, "bare.json"))
	if err != nil {
		return r, 0, err
	}
	defer out.Close()
	command := append([]string{self, bareCommand, "-url", service.url, "-inbox", s.inbox, "-sorted", s.sorted}, flags...)
	p, err := b.startTo(out, "bare loop", nil, command...)
	if err != nil {
		return r, 0, err
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		return r, 0, context.Cause(ctx)
	}
	if p.err != nil {
		return r, 0, fmt.Errorf("bare loop: %w\n%s", p.err, p.lastWords())
	}
	text, err := os.ReadFile(out.Name())
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), err
}
