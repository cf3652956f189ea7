package docutray

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// TestNoDocuTrayThere: a base URL that leads elsewhere is named as such.
func TestNoDocuTrayThere(t *testing.T) {
	sim := serve(t, docutraytest.New(docutraytest.Options{}))
	site := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Welcome</title>")
	}))
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"status":"up"}`)
	}))
	for url, class := range map[string]Class{sim.URL + "/api": Service, site.URL: NoID} {
		c := newClient(t, url)
		e := asError(t, second(c.Submit(t.Context(), submission())))
		if e.Class != class || !strings.HasSuffix(e.Reason(), adviceAddress) {
			t.Errorf("submit to %s: %v %v", url, e.Class, e)
		}
	}
	if e := asError(t, second(newClient(t, site.URL).Status(t.Context(), "j"))); e.Class != Service || !strings.HasSuffix(e.Reason(), adviceAddress) {
		t.Errorf("poll: %v", e)
	}
	for _, url := range []string{sim.URL + "/api", site.URL, other.URL} {
		c := newClient(t, url)
		for _, err := range []error{c.Ping(t.Context()), second(c.DocumentTypes(t.Context()))} {
			if e := asError(t, err); e.Class != Service || !strings.HasSuffix(e.Reason(), adviceAddress) {
				t.Errorf("%s: %v", url, e)
			}
		}
	}
	for status, body := range map[int]string{404: `{"message":"Identification not found"}`, 500: "{}", 503: "<html>"} {
		if e := asError(t, second(fake(t, status, nil, body).Status(t.Context(), "j"))); strings.Contains(e.Reason(), ";") {
			t.Errorf("%d: %v", status, e)
		}
	}
}

// TestAdviceForConnections: what to do about a proxy, a name or a certificate.
func TestAdviceForConnections(t *testing.T) {
	dns := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "app.example", IsNotFound: true}}
	untrusted := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	host := x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"other.example"}}, Host: "app.example"}
	for _, c := range []struct {
		err  error
		says []string
	}{
		{dns, []string{"lookup app.example: no such host", "DOCUTRAY_BASE_URL"}},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dns}, []string{"HTTPS_PROXY"}},
		{fmt.Errorf("%w answers 407 Proxy Authentication Required", ErrProxy), []string{"407", adviceProxy}},
		{fmt.Errorf("%w answers 403 Forbidden", ErrProxy), []string{"403", "HTTPS_PROXY"}},
		{untrusted(x509.UnknownAuthorityError{}), []string{"certificate signed by unknown authority", "SSL_CERT_FILE"}},
		{untrusted(x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}), []string{"expired", "clock"}},
		{untrusted(host), []string{"other.example", "DOCUTRAY_BASE_URL"}},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, []string{"does not speak TLS"}},
		{tls.AlertError(40), []string{"handshake failure", "SSL_CERT_FILE"}},
	} {
		client := newClient(t, "https://service.invalid", func(cfg *Config) {
			cfg.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, c.err })
		})
		e := asError(t, client.Ping(t.Context()))
		for _, text := range c.says {
			if e.Class != Service || !strings.Contains(e.Reason(), text) {
				t.Errorf("%v %q does not say %q", e.Class, e.Reason(), text)
			}
		}
	}
	if e := asError(t, fake(t, 407, nil, "").Ping(t.Context())); !strings.HasSuffix(e.Reason(), adviceProxy) {
		t.Error(e)
	}
}

// TestAdviceForRealCertificates: a host that cannot prove its name gets nothing, and what the
// standard library reports is recognised.
func TestAdviceForRealCertificates(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	plain := serve(t, docutraytest.New(docutraytest.Options{}))
	trusted := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for says, c := range map[string]struct {
		url  string
		tune func(*tls.Config)
	}{
		"SSL_CERT_FILE":              {srv.URL, func(*tls.Config) {}},
		"clock":                      {srv.URL, func(c *tls.Config) { c.RootCAs, c.Time = trusted, func() time.Time { return time.Unix(1<<32, 0) } }},
		"the certificate is another": {srv.URL, func(c *tls.Config) { c.RootCAs, c.ServerName = trusted, "elsewhere.example" }},
		"does not speak TLS":         {strings.Replace(plain.URL, "http:", "https:", 1), func(*tls.Config) {}},
	} {
		client := newClient(t, c.url)
		c.tune(client.own.TLSClientConfig)
		e := asError(t, second(client.Submit(t.Context(), submission())))
		if e.Class != Service || e.Sent || e.OutcomeUnknown || !errors.Is(e, ErrTLS) || !strings.Contains(e.advice(), says) {
			t.Errorf("%+v: %q, want %q", e, e.advice(), says)
		}
	}
}
