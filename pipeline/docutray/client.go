package docutray

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
)

// The service's paths, below the base URL.
const (
	pathSubmit = "/api/identify-async"
	pathStatus = "/api/identify-async/status/"
	pathTypes  = "/api/document-types"
)

// Client makes requests to one service with one key source. It is safe for
// concurrent use.
type Client struct {
	cfg       Config
	base      *url.URL
	transport http.RoundTripper
	own       *http.Transport // nil if the transport is the caller's
	log       *slog.Logger
	expect    expectation

	mu     sync.Mutex
	states map[string]bool // unknown job states that were logged
}

// New checks the configuration and makes a client. It reads the key once, to
// refuse one that cannot be sent, and makes no request. The errors wrap
// [ErrBaseURL], [ErrKey] or the key source's own.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	base, err := parseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.Key == nil {
		return nil, fmt.Errorf("%w: there is none", ErrKey)
	}
	key, err := cfg.Key.Key()
	if err != nil {
		return nil, err
	}
	if err := checkKey(key.Reveal()); err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, base: base, transport: cfg.Transport, log: cfg.Logger, states: map[string]bool{}}
	if c.transport == nil {
		c.own = newTransport(cfg, base)
		c.transport = c.own
	}
	return c, nil
}

// Close ends the idle connections of the client's own transport. Requests under
// way go on; the client can still be used.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// address is the URL of a path below the base URL. raw is the path as it stands
// in the request line, where that differs from the path itself.
func (c *Client) address(path, raw string) *url.URL {
	u := *c.base
	u.Path, u.RawPath = c.base.Path+path, c.base.EscapedPath()+raw
	return &u
}

// errNoAnswer replaces a cause whose text cannot be shown.
var errNoAnswer = errors.New("connection failed")
