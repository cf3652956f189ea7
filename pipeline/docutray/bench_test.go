package docutray

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	benchServer = "DOCUTRAY_BENCH_SERVER" // set: this program is the server of the benchmark
	benchJob    = "cm5vm9hx30001m5cgh0p9v8qa"
	benchAnswer = `{"id":"cm5vm9hx30001m5cgh0p9v8qa","status":"SUCCESS","document_type_code_options":["invoice","receipt"],` +
		`"request_timestamp":"2025-07-09T21:35:19.138Z","response_timestamp":"2025-07-09T21:35:28.028Z","original_filename":"scan.pdf",` +
		`"document_type":{"code":"invoice","confidence":0.99,"name":"Invoice"},"alternatives":[{"code":"invoice","confidence":0.99,"name":"Invoice"},` +
		`{"code":"other","confidence":0.01,"name":"Other/Unidentified"},{"code":"receipt","confidence":0,"name":"Receipt"}]}`
)

// BenchmarkRequests compares the client with a plain one that makes the same
// requests and checks nothing, as .ci/bench's bare loop does. The server is a
// process of its own that does next to nothing; cpu-µs/op is the processor time
// of this one alone, user and system.
func BenchmarkRequests(b *testing.B) {
	url := startBenchServer(b)
	c := newClient(b, url, func(cfg *Config) { cfg.Logger = nil })
	p := plain{url: url, client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, WriteBufferSize: 64 << 10}}}
	b.Cleanup(p.client.CloseIdleConnections)
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	for _, size := range []int{20_000, 10_000_000} {
		content := make([]byte, size)
		measure(b, fmt.Sprintf("Submit/%dkB", size/1000), func() error {
			s := submission()
			s.Size, s.Content = int64(size), struct{ io.Reader }{bytes.NewReader(content)}
			_, err := c.Submit(ctx, s)
			return err
		})
		measure(b, fmt.Sprintf("PlainPost/%dkB", size/1000), func() error { return p.post(content) })
	}
	measure(b, "Status", func() error {
		_, err := c.Status(ctx, benchJob)
		return err
	})
	measure(b, "PlainGet", func() error { return p.get() })
}

// measure makes a benchmark of f that reports its processor time.
func measure(b *testing.B, name string, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		var began, ended syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &began)
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := f(); err != nil {
					b.Error(err)
				}
			}
		})
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ended)
		took := ended.Utime.Nano() - began.Utime.Nano() + ended.Stime.Nano() - began.Stime.Nano()
		b.ReportMetric(float64(took)/1e3/float64(b.N), "cpu-µs/op")
	})
}

// plain is the client that the real one is compared with.
type plain struct {
	url    string
	client http.Client
}

func (p *plain) post(content []byte) error {
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	_ = w.WriteField("document_type_code_options", `["invoice","receipt"]`)
	_ = w.WriteField("image_content_type", "application/pdf")
	_, _ = w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="image"; filename="scan.pdf"`},
		"Content-Type": {"application/pdf"}})
	head := frame.Len()
	_ = w.Close()
	all := frame.Bytes()
	req, err := http.NewRequest(http.MethodPost, p.url+pathSubmit, io.MultiReader(bytes.NewReader(all[:head]),
		struct{ io.Reader }{bytes.NewReader(content)}, bytes.NewReader(all[head:])))
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(all) + len(content))
	req.Header.Set("Content-Type", w.FormDataContentType())
	return p.ask(req)
}

func (p *plain) get() error {
	req, err := http.NewRequest(http.MethodGet, p.url+pathStatus+benchJob, nil)
	if err != nil {
		return err
	}
	return p.ask(req)
}

func (p *plain) ask(req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var job struct{ ID, Status string }
	return json.NewDecoder(resp.Body).Decode(&job)
}

// startBenchServer starts this program as a server, which ends with the test.
func startBenchServer(b *testing.B) (url string) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchServer+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// serveBench answers each request at once until standard input ends.
func serveBench() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + ln.Addr().String())
	srv := http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"id":"`+benchJob+`","status":"ENQUEUED"}`)
			return
		}
		_, _ = io.WriteString(w, benchAnswer)
	})}
	go func() { _ = srv.Serve(ln) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = srv.Close()
}
