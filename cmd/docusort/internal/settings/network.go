package settings

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	certFileName = "SSL_CERT_FILE"
	certDirName  = "SSL_CERT_DIR"
)

// proxyURL never shows the value: a password may stand in it.
func proxyURL(v string) (string, error) {
	text := v
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return "", errors.New("is not the address of a proxy: write one such as http://proxy.example.com:3128")
	}
	return text, nil
}

// findCertificates reads the certificates to trust beside the system's.
func (l *loader) findCertificates(s *Settings) {
	if s.CertFile == "" && s.CertDir == "" || l.refused[certFileName] || l.refused[certDirName] {
		return
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if s.CertFile != "" {
		if err := addCertificates(roots, s.CertFile); err != nil {
			l.refuse(certFileName, reason(err))
		}
	}
	if s.CertDir != "" {
		entries, err := os.ReadDir(s.CertDir)
		if err != nil {
			l.refuse(certDirName, reason(err))
		}
		for _, entry := range entries {
			// Other files may lie there too, and links that lead nowhere.
			_ = addCertificates(roots, filepath.Join(s.CertDir, entry.Name()))
		}
	}
	s.RootCAs = roots
}

func addCertificates(roots *x509.CertPool, path string) error {
	b, err := readBounded(path)
	if err == nil && !roots.AppendCertsFromPEM(b) {
		err = fmt.Errorf("there is no certificate in %s: it must be in PEM form, with BEGIN CERTIFICATE", show(path))
	}
	return err
}
