package docutray

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
)

const (
	adviceAddress = "no DocuTray answers at this address: check DOCUTRAY_BASE_URL"
	adviceProxy   = "check HTTPS_PROXY: where the proxy wants a password, it is http://USER:PASSWORD@HOST:PORT"
)

// advice says what a person can do about trouble on the way to the service, or "".
func (e *Error) advice() string {
	noSuchPath := e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusMethodNotAllowed || e.StatusCode == http.StatusGone
	unlikeDocuTray := e.page || e.Op != OpStatus && e.Class == Service && e.Err == nil // a job may be unknown
	switch {
	case errors.Is(e.Err, ErrProxy), e.StatusCode == http.StatusProxyAuthRequired:
		return adviceProxy
	case errors.As(e.Err, new(x509.HostnameError)):
		return "the certificate is another host's: check DOCUTRAY_BASE_URL"
	case errors.As(e.Err, new(tls.RecordHeaderError)):
		return "the other side does not speak TLS: check DOCUTRAY_BASE_URL"
	case errors.Is(e.Err, ErrTLS):
		return "check the clock of this machine; where a proxy inspects the traffic, name the file with its CA certificate in SSL_CERT_FILE"
	case errors.As(e.Err, new(*net.DNSError)):
		return "check the name in DOCUTRAY_BASE_URL, and that this machine can resolve names"
	case e.page:
	case e.StatusCode == http.StatusUnauthorized:
		return "make a key in DocuTray and put it in the place of this one (of the service: /etc/docusort/api-key, of an instance: NAME.api-key beside it): a file is read again by itself, DOCUTRAY_API_KEY after a restart"
	case e.Class == Account && (e.StatusCode == http.StatusPaymentRequired || e.StatusCode == http.StatusTooManyRequests):
		return "it goes on when the quota is renewed, or within five minutes when more is bought"
	case e.StatusCode == http.StatusForbidden && e.Op == OpSubmit:
		return "correct DOCUSORT_DOCUMENT_TYPES, or make these types accessible in DocuTray"
	case e.StatusCode == http.StatusForbidden:
		return "see to the permissions of the account in DocuTray"
	}
	switch {
	case unlikeDocuTray && (noSuchPath || e.StatusCode/100 == 2):
		return adviceAddress
	case e.page && e.StatusCode < 500:
		return "is there a proxy or a filter on the way?"
	case e.StatusCode/100 == 3:
		return "a redirect is never followed: check DOCUTRAY_BASE_URL"
	}
	return ""
}
