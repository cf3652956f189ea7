package status

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// events is what a page that follows is sent.
type events struct {
	resp *http.Response
	in   *bufio.Reader
}

func (w *world) follow(url string) *events {
	w.t.Helper()
	client := http.Client{Transport: &http.Transport{}}
	resp, err := client.Get(url + "/events")
	w.ok(err)
	w.t.Cleanup(func() { resp.Body.Close(); client.CloseIdleConnections() })
	return &events{resp, bufio.NewReader(resp.Body)}
}

// next returns the sections of the next event.
func (e *events) next(t *testing.T) map[string]section {
	t.Helper()
	for {
		line, err := e.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var out map[string]section
			if err := json.Unmarshal([]byte(data), &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
}

func TestEventsTellWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.file("first.pdf", "invoice")
	_, url := w.serve()
	e := w.follow(url)
	if got := e.resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("the type is %q", got)
	}
	first := e.next(t)
	if len(first) != len(query{}.sections()) || !strings.Contains(string(first["documents"].HTML), "first.pdf") {
		t.Errorf("first came %d sections: %v", len(first), first)
	}
	w.file("two\nlines.pdf", "invoice")
	for {
		news := e.next(t)
		if strings.Contains(string(news["documents"].HTML), `two\x0alines.pdf`) {
			break
		}
	}
}

func TestTheEndOfTheServerEndsEvents(t *testing.T) {
	w := newWorld(t)
	s, err := Listen(Config{Addr: "127.0.0.1:0", Database: w.path, Meter: NewMeter(), Logger: slog.New(slog.DiscardHandler)})
	w.ok(err)
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	e := w.follow("http://" + s.Addr().String())
	e.next(t)
	cancel()
	select {
	case err := <-ended:
		w.ok(err)
	case <-time.After(deadline):
		t.Fatal("it goes on")
	}
	for {
		if _, err := e.in.ReadString('\n'); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the events were cut off: %v", err)
		}
	}
}
