package docutray

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Config is what a client needs. Zero durations mean the defaults.
type Config struct {
	// BaseURL is the service's address: https, or http on a loopback host. It
	// may have a path, but no user, query or fragment.
	BaseURL string
	// Key is asked for the key of each request.
	Key KeySource
	// UserAgent is sent as it is, such as "docusort/1.2.3".
	UserAgent string
	// Transport makes the requests; nil is a transport of our own. Another one
	// must not follow redirects or repeat a POST.
	Transport http.RoundTripper
	// Logger gets what only an operator can make sense of; nil discards it.
	Logger *slog.Logger
	// Observe is told of each request once it is over: which operation it was
	// for, the status of the answer, 0 where none came, and how long it took,
	// the reading of the answer included. It is called by many goroutines and
	// must not block; nil is nobody.
	Observe func(op string, status int, took time.Duration)

	// ConnectTimeout bounds the dial, and again the TLS handshake, of our own
	// transport (10 s).
	ConnectTimeout time.Duration
	// ContinueTimeout is how long our own transport waits for "100 Continue"
	// before it sends a document all the same (1 s).
	ContinueTimeout time.Duration
	// IdleTimeout ends an upload, or the reading of an answer, in which no byte
	// has moved for this long (1 min).
	IdleTimeout time.Duration
	// AnswerTimeout is how long the answer to a submission may take once its
	// last byte was handed over (3 min: up to 4 MB may still be in the buffers
	// of the kernel then).
	AnswerTimeout time.Duration
	// SubmitTimeout bounds a whole submission (1 h: 100 MB at 30 KB/s).
	SubmitTimeout time.Duration
	// QueryTimeout bounds every other request as a whole (30 s).
	QueryTimeout time.Duration
}

// withDefaults returns the configuration with its zero fields filled.
func (c Config) withDefaults() Config {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&c.ConnectTimeout, 10*time.Second)
	set(&c.ContinueTimeout, time.Second)
	set(&c.IdleTimeout, time.Minute)
	set(&c.AnswerTimeout, 3*time.Minute)
	set(&c.SubmitTimeout, time.Hour)
	set(&c.QueryTimeout, 30*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.UserAgent == "" {
		c.UserAgent = "docusort"
	}
	return c
}

// ErrBaseURL is wrapped by every error of [CheckBaseURL].
var ErrBaseURL = errors.New("unusable base URL")

// CheckBaseURL says whether a client would take s as its base URL: https, or
// http on a loopback host, without user, query and fragment. The key is sent
// with every request, so it must not cross a network in the clear.
func CheckBaseURL(s string) error {
	_, err := parseBaseURL(s)
	return err
}

func parseBaseURL(s string) (*url.URL, error) {
	// The text is not quoted in the errors: it may hold a password.
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a URL", ErrBaseURL)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%w: it must begin with https://", ErrBaseURL)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("%w: it names no host", ErrBaseURL)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it must not hold a user or password", ErrBaseURL)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%w: it must not have a query or fragment", ErrBaseURL)
	case u.Port() != "" && !isPort(u.Port()):
		return nil, fmt.Errorf("%w: its port is not one of 1 to 65535", ErrBaseURL)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%w: http is only for a loopback host, use https", ErrBaseURL)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	u.Host = strings.TrimSuffix(u.Host, ":") // a port that is not there
	return u, nil
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// newTransport makes a transport for the one host that cfg names.
func newTransport(cfg Config, base *url.URL) *http.Transport {
	dialer := &net.Dialer{Timeout: cfg.ConnectTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   cfg.ConnectTimeout,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		ExpectContinueTimeout: cfg.ContinueTimeout,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		// As many as there can be uploads and polls at a time, so that none
		// pays for a handshake; the default of 2 would throw them away.
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true, // answers are small; no decompression bombs
		WriteBufferSize:        64 << 10,
	}
	if base.Scheme == "http" {
		// What "localhost" resolves to is not ours to choose, but the key must
		// not leave the machine in the clear.
		t.Proxy = nil
		dialer.Control = loopbackOnly
	}
	return t
}

// loopbackOnly refuses to connect to anything but a loopback address.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%w: plain http to %s, which is not a loopback address", ErrBaseURL, host)
	}
	return nil
}
