package settings

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const certFileName = "SSL_CERT_FILE"

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
	if s.CertFile == "" || l.refused[certFileName] {
		return
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	b, err := readBounded(s.CertFile)
	if err == nil && !roots.AppendCertsFromPEM(b) {
		err = fmt.Errorf("there is no certificate in %s: it must be in PEM form, with BEGIN CERTIFICATE", show(s.CertFile))
	}
	if err != nil {
		l.refuse(certFileName, reason(err))
	}
	s.RootCAs = roots
}
