package docutray

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// connectTimeout limits the dial, and separately the TLS handshake.
	connectTimeout = 10 * time.Second
	// continueTimeout limits the wait for "100 Continue".
	continueTimeout = time.Second
	// keepIdle is how long an idle connection is kept. Servers close theirs
	// after 5 s or more, and a submission on a connection that the server is
	// closing has an unknown outcome.
	keepIdle = 3 * time.Second
	// keepConnections is above the number of uploads and polls that run at a
	// time, so that none of them pays for a new handshake.
	keepConnections = 64
)

// ErrBaseURL is wrapped by errors about a base URL that cannot be used.
var ErrBaseURL = errors.New("unusable base URL")

// CheckBaseURL reports whether a client would accept s as its base URL. Its errors
// wrap [ErrBaseURL].
func CheckBaseURL(s string) error {
	_, err := parseBaseURL(s)
	return err
}

// parseBaseURL accepts https, and http on a loopback host: the key goes out
// with every request and must not cross a network in the clear. Its errors do
// not quote the URL, which may contain a password.
func parseBaseURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not a URL", ErrBaseURL)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%w: it must begin with https://", ErrBaseURL)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("%w: it has no host", ErrBaseURL)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it must not contain a user or password", ErrBaseURL)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%w: it must not have a query or fragment", ErrBaseURL)
	case u.Port() != "" && !isPort(u.Port()):
		return nil, fmt.Errorf("%w: its port must be from 1 to 65535", ErrBaseURL)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%w: http is only for a loopback host, use https", ErrBaseURL)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	u.Host = strings.TrimSuffix(u.Host, ":") // an empty port
	return u, nil
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 1 && n <= 65535
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// newTransport returns the transport for a base URL.
func newTransport(base *url.URL, cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
		ExpectContinueTimeout:  continueTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConnsPerHost:    keepConnections,
		IdleConnTimeout:        keepIdle,
		MaxResponseHeaderBytes: 256 << 10,
		WriteBufferSize:        oneWrite,
		OnProxyConnectResponse: checkProxy,
	}
	if cfg.Proxy != nil {
		t.Proxy = cfg.Proxy
	}
	if base.Scheme == "http" {
		// "localhost" may resolve to another machine.
		t.Proxy = nil
		dialer.Control = loopbackOnly
	}
	return t
}

// checkProxy refuses a proxy's answer that opens no connection to the service.
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%w answers %d %s", ErrProxy, r.StatusCode, http.StatusText(r.StatusCode))
	}
	return nil
}

// connectionError marks an error of the proxy, or of TLS.
func connectionError(err error) error {
	op := new(net.OpError)
	switch {
	case errors.Is(err, ErrProxy):
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return fmt.Errorf("%w: %w", ErrProxy, err)
	case errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(tls.RecordHeaderError)),
		errors.As(err, new(tls.AlertError)):
		return fmt.Errorf("%w: %w", ErrTLS, err)
	}
	return err
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
