package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNetworkMistakes are found at the start, and a proxy's password is not shown.
func TestNetworkMistakes(t *testing.T) {
	plain := write(t, "no certificate")
	for _, c := range []struct{ setting, says string }{
		{"HTTPS_PROXY=http://user:sesame@", "HTTPS_PROXY (environment): is not the address of a proxy"},
		{"HTTPS_PROXY=ftp://user:sesame@proxy", "is not the address of a proxy"},
		{"SSL_CERT_FILE=/nowhere/ca.pem", "SSL_CERT_FILE (environment): there is no file /nowhere/ca.pem"},
		{"SSL_CERT_FILE=" + plain, "there is no certificate in"},
		{"SSL_CERT_DIR=/nowhere", "SSL_CERT_DIR (environment): there is no file /nowhere"},
	} {
		_, err := loadHere(t, given(c.setting), "", all)
		says(t, err, c.says)
		if strings.Contains(err.Error(), "sesame") {
			t.Error("the password is shown:", err)
		}
	}
}

// TestOtherProgramsProxy: systemd hands the settings file over whole, so names of other
// programs may stand there.
func TestOtherProgramsProxy(t *testing.T) {
	s, err := loadHere(t, given(), write(t, "HTTP_PROXY=http://proxy:1\nNO_PROXY=a.example, b.example\n"), all)
	ok(t, err)
	if s.HTTPSProxy != "" || s.NoProxy != "a.example, b.example" || s.RootCAs != nil {
		t.Errorf("the proxy is %q but for %q", s.HTTPSProxy, s.NoProxy)
	}
	// A folder may hold other files, and need not hold any certificate.
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "README"), []byte("x"), 0o600))
	_, err = loadHere(t, given("SSL_CERT_DIR="+dir), "", all)
	ok(t, err)
}
