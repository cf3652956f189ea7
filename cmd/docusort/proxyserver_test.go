package main

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"docusort/pipeline/docutray/docutraytest"
)

// TestProxyAndCertificatesOfTheSettingsFile: the service is reached through a proxy, and
// trusted by a certificate, that only the settings file names.
func TestProxyAndCertificatesOfTheSettingsFile(t *testing.T) {
	service := httptest.NewTLSServer(docutraytest.New(docutraytest.Options{}))
	defer service.Close()
	var connects atomic.Int32
	proxy := httptest.NewServer(tunnel(&connects, service.Listener.Addr().String()))
	defer proxy.Close()
	dir := t.TempDir()
	certificate := filepath.Join(dir, "ca.pem")
	noErr(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw}), 0o600))

	// Nobody has this name in the DNS; the certificate of httptest is for it.
	file := filepath.Join(dir, "docusort.env")
	settings := "DOCUTRAY_API_KEY=" + docutraytest.DefaultKey + "\nDOCUTRAY_BASE_URL=https://example.com\n"
	for name, more := range map[string]string{
		"a file":           "HTTPS_PROXY=" + proxy.URL + "\nSSL_CERT_FILE=" + certificate + "\n",
		"a folder":         "HTTPS_PROXY=" + proxy.URL + "\nSSL_CERT_DIR=" + dir + "\n",
		"lower case":       "https_proxy=" + proxy.URL + "\nSSL_CERT_FILE=" + certificate + "\n",
		"without a scheme": "HTTPS_PROXY=" + strings.TrimPrefix(proxy.URL, "http://") + "\nSSL_CERT_FILE=" + certificate + "\n",
	} {
		noErr(t, os.WriteFile(file, []byte(settings+more), 0o600))
		connects.Store(0)
		got := runWith(nil, "--config", file, "types")
		if got.code != exitDone || !strings.Contains(got.stdout, "invoice") || connects.Load() != 1 {
			t.Errorf("%s: it ended with %d, said %q; the proxy was asked %d times", name, got.code, got.stderr, connects.Load())
		}
	}

	noErr(t, os.WriteFile(file, []byte(settings+"HTTPS_PROXY="+proxy.URL+"\n"), 0o600))
	runWith(nil, "--config", file, "types").check(t, exitFailed, "certificate")
	connects.Store(0)
	got := runWith([]string{"NO_PROXY=example.com", "HTTPS_PROXY="}, "--config", file, "types")
	if got.code != exitFailed || connects.Load() > 0 {
		t.Errorf("the environment does not win: %d, %q; the proxy was asked %d times", got.code, got.stderr, connects.Load())
	}
}

// tunnel is a proxy that passes every CONNECT to one address.
func tunnel(connects *atomic.Int32, address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		connects.Add(1)
		far, err := net.Dial("tcp", address)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer far.Close()
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		_, _ = io.WriteString(near, "HTTP/1.1 200 Connected\r\n\r\n")
		go func() { _, _ = io.Copy(far, near); far.Close() }()
		_, _ = io.Copy(near, far)
	})
}
