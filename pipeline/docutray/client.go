package docutray

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// The service's paths, below the base URL.
const (
	pathSubmit = "/api/identify-async"
	pathStatus = "/api/identify-async/status/"
	pathTypes  = "/api/document-types"
)

// Config is what a client needs.
type Config struct {
	// BaseURL is the service's address: https, or http on a loopback host. It
	// may have a path, but no user, query or fragment.
	BaseURL string
	// Key supplies the key for each request.
	Key KeySource
	// UserAgent is the User-Agent header, such as "docusort/1.2.3".
	UserAgent string
	// Transport makes the requests. It must not follow redirects or repeat a
	// POST. The default is a transport of the client's own.
	Transport http.RoundTripper
	// Proxy and RootCAs are for the client's own transport, as in [http.Transport]
	// and [tls.Config]. Nil means what the environment says, and what the system trusts.
	Proxy   func(*http.Request) (*url.URL, error)
	RootCAs *x509.CertPool
	// Logger may be nil.
	Logger *slog.Logger
	// Observe is called after each request with its operation, the status code
	// (0 if no answer came) and the time until the answer was read. Calls are
	// concurrent and must not block. Observe may be nil.
	Observe func(op string, status int, took time.Duration)
}

// Client makes requests to one service. It is safe for concurrent use.
type Client struct {
	cfg          Config
	base         *url.URL
	transport    http.RoundTripper
	own          *http.Transport // nil if Config.Transport is used
	unknownState sync.Once       // logs the first unknown job state
	skew         atomic.Int64    // see ClockSkew
}

// New returns a client. It makes no request, but reads the key once, to refuse
// one that cannot be sent. Errors wrap [ErrBaseURL], [ErrKey] or the key
// source's error.
func New(cfg Config) (*Client, error) {
	base, err := parseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.Key == nil {
		return nil, fmt.Errorf("%w: none is configured", ErrKey)
	}
	if _, err := cfg.Key.Key(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "docusort"
	}
	c := &Client{cfg: cfg, base: base, transport: cfg.Transport}
	if c.transport == nil {
		c.own = newTransport(base, cfg)
		c.transport = c.own
	}
	return c, nil
}

// Close closes the idle connections of the client's own transport. It neither
// interrupts requests nor prevents new ones.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// address returns the URL of a path below the base URL. escaped is the path as
// it stands in the request line.
func (c *Client) address(path, escaped string) *url.URL {
	u := *c.base
	u.Path, u.RawPath = c.base.Path+path, c.base.EscapedPath()+escaped
	return &u
}
