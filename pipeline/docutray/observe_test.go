package docutray

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// Each request is told of once, whatever came of it, the one that was made again
// on another connection included.
func TestEachRequestIsObserved(t *testing.T) {
	var seen []string
	observe := func(c *Config) {
		c.Observe = func(op string, status int, took time.Duration) {
			if took < 0 {
				t.Errorf("%s took %v", op, took)
			}
			seen = append(seen, fmt.Sprint(op, " ", status))
		}
	}
	broken := errors.New("connection reset")
	for _, c := range []struct {
		transport http.RoundTripper
		ask       func(*Client) error
		want      string
	}{
		{answering(202, nil, `{"id":"job1","status":"ENQUEUED"}`), func(c *Client) error {
			_, err := c.Submit(context.Background(), submission())
			return err
		}, "submit 202"},
		{answering(404, nil, `{}`), func(c *Client) error { _, err := c.Status(context.Background(), "job1"); return err }, "status 404"},
		{answering(200, nil, `no JSON`), func(c *Client) error { return c.Ping(context.Background()) }, "ping 200"},
		{roundTrip(func(*http.Request) (*http.Response, error) { return nil, broken }),
			func(c *Client) error { _, err := c.DocumentTypes(context.Background()); return err }, "document types 0"},
	} {
		seen = nil
		client := newClient(t, "https://example.com", observe, func(cfg *Config) { cfg.Transport = c.transport })
		if err := c.ask(client); !slices.Equal(seen, []string{c.want}) {
			t.Errorf("seen %q, want %q; the error is %v", seen, c.want, err)
		}
	}
}
