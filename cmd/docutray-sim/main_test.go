package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"docusort/pipeline/docutray"
	"docusort/pipeline/docutray/docutraytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// firstLine passes what is written on, and gives its first line to line.
type firstLine struct {
	mu   sync.Mutex
	text bytes.Buffer
	line chan string
	once sync.Once
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text.Write(p)
	if before, _, ok := strings.Cut(f.text.String(), "\n"); ok {
		f.once.Do(func() { f.line <- before })
	}
	return len(p), nil
}

func (f *firstLine) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

// start runs the program with args on a free port. stop ends it and returns
// its exit code and all that it wrote on standard error.
func start(t *testing.T, args ...string) (url string, stop func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stderr := &firstLine{line: make(chan string, 1)}
	code := make(chan int, 1)
	go func() { code <- run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), io.Discard, stderr) }()
	var line string
	select {
	case line = <-stderr.line:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not start")
	}
	m := regexp.MustCompile(`a stand-in.* DOCUTRAY_BASE_URL=(http://\S+) DOCUTRAY_API_KEY=(\S+)$`).FindStringSubmatch(line)
	if m == nil {
		cancel()
		t.Fatalf("it says %q", line)
	}
	return m[1], func() (int, string) {
		cancel()
		return <-code, stderr.String()
	}
}

func TestServesAndStops(t *testing.T) {
	url, stop := start(t, "--key", "k", "--types", "invoice,memo")
	c, err := docutray.New(docutray.Config{BaseURL: url, Key: docutray.StaticKey("k")})
	if err != nil {
		t.Fatal(err)
	}
	doc := "%PDF-1.4 stream (memo) Tj endstream %%EOF"
	id, err := c.Submit(t.Context(), docutray.Submission{Filename: "x", ContentType: "application/pdf",
		Size: int64(len(doc)), Content: strings.NewReader(doc), Types: []string{"invoice", "memo"}})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := c.Status(t.Context(), id); err != nil || st.Type.Code != "memo" {
		t.Errorf("%+v %v", st, err)
	}
	var stats docutraytest.Stats
	resp, err := http.Get(url + "/_standin/stats")
	if err != nil {
		t.Fatal(err)
	}
	err = json.NewDecoder(resp.Body).Decode(&stats)
	_ = resp.Body.Close()
	if err != nil || stats.Jobs != 1 || stats.Polls != 1 {
		t.Errorf("%+v %v", stats, err)
	}

	// An outage, made and ended by an outside program.
	for body, class := range map[string]docutray.Class{`{"outage":"503"}`: docutray.Service, `{"outage":"","account":"401"}`: docutray.Account} {
		resp, err := http.Post(url+"/_standin/faults", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if e := docutray.AsError(c.Ping(t.Context())); e == nil || e.Class != class {
			t.Errorf("%s: %v", body, e)
		}
	}
	c.Close()
	http.DefaultClient.CloseIdleConnections()
	code, out := stop()
	if code != exitDone || !strings.Contains(out, "1 jobs for 1 different documents") || !strings.Contains(out, "submit 202: 1") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// TestStopsWhileRequestsStall: neither a stalled request nor an upload that
// does not end holds up a stop.
func TestStopsWhileRequestsStall(t *testing.T) {
	url, stop := start(t, "--stall", "1", "--stall-for", "10h")
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Get(url + "/api/document-types")
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	for n := 0; n == 0; { // until the request is there
		resp, err := http.Get(url + "/_standin/stats")
		if err != nil {
			t.Fatal(err)
		}
		var stats docutraytest.Stats
		_ = json.NewDecoder(resp.Body).Decode(&stats)
		_ = resp.Body.Close()
		n = stats.Requests
	}
	began := time.Now()
	code, out := stop()
	if err := <-failed; code != exitDone || err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("exit %d after %v, %v: %s", code, time.Since(began), err, out)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestUsage(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for args, c := range map[string]struct {
		code int
		says string
	}{
		"--nope":              {exitUsage, "unknown flag: --nope"},
		"serve":               {exitUsage, "takes no arguments"},
		"--latency x":         {exitUsage, "--latency"},
		"--latency -1s":       {exitUsage, "--latency"},
		"--sigma NaN":         {exitUsage, "--sigma"},
		"--sigma -1":          {exitUsage, "--sigma"},
		"--rate-limit -1":     {exitUsage, "--rate-limit"},
		"--rate-window 0s":    {exitUsage, "--rate-window"},
		"--rate-burst -1":     {exitUsage, "--rate-burst"},
		"--fail-submit 1.1":   {exitUsage, "fail_submit"},
		"--reset-date soon":   {exitUsage, "--reset-date"},
		"--key=":              {exitUsage, "--key"},
		"--types a,,b":        {exitUsage, "--types"},
		"--listen nowhere":    {exitUsage, "--listen"},
		"--seed -1":           {exitUsage, "--seed"},
		"--help":              {exitDone, ""},
		"--listen TAKEN":      {exitFailed, "address already in use"},
		"--listen 1.2.3.4:80": {exitFailed, "cannot assign"},
	} {
		var stdout, stderr bytes.Buffer
		words := strings.Fields(strings.Replace(args, "TAKEN", taken.Addr().String(), 1))
		if code := run(t.Context(), words, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: exit %d, %s", args, code, &stderr)
		}
		if args == "--help" && (!strings.Contains(stdout.String(), "--drop-after") || stderr.Len() > 0) {
			t.Errorf("help: %s %s", &stdout, &stderr)
		}
	}
}

// TestEveryFaultHasAFlag: a fault can be set by its flag.
func TestEveryFaultHasAFlag(t *testing.T) {
	var s settings
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.register(flags)
	values := map[string]string{"outage": "413", "account": "429", "reset-date": "2026-01-02", "page": "true", "submit-status": "418",
		"refuse": "poison", "slow-poll": "60s", "not-found-for": "10s", "stall-for": "1s"}
	want := map[string]any{}
	s.opts.Faults.Each(func(name, usage string, _ any) {
		flag := strings.ReplaceAll(name, "_", "-")
		value, ok := values[flag]
		if !ok {
			value = "0.5"
		}
		if err := flags.Set(flag, value); err != nil || usage == "" {
			t.Errorf("--%s: %v", flag, err)
		}
		want[name] = value
	})
	text, _ := json.Marshal(s.opts.Faults)
	var got map[string]any
	_ = json.Unmarshal(text, &got)
	maps.Copy(want, map[string]any{"reset_date": "2026-01-02T00:00:00Z", "slow_poll": "1m0s"})
	if len(got) != len(want) {
		t.Errorf("%d faults, %d flags", len(got), len(want))
	}
	for name := range got {
		if fmt.Sprint(got[name]) != want[name] {
			t.Errorf("%s is %v, not %v", name, got[name], want[name])
		}
	}
}

func TestDialable(t *testing.T) {
	for addr, want := range map[string]string{"0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80", "127.0.0.1:5": "127.0.0.1:5"} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil || dialable(a) != want {
			t.Errorf("%s: %s %v", addr, dialable(a), err)
		}
	}
}
