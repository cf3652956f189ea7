package status

import (
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// headers tell a browser what it may do with an answer: show what comes from here.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// guard refuses requests that are not meant for this server, and sets the headers
// of the others.
func (s *Server) guard(next http.Handler) http.Handler {
	configured, _, _ := net.SplitHostPort(s.cfg.Addr)
	machine, _ := os.Hostname()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page is read-only.", http.StatusMethodNotAllowed)
		case !ourHost(r.Host, configured, machine):
			http.Error(w, "This page is not served under that name: use a loopback address or the host of DOCUSORT_HTTP_ADDR.",
				http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ourHost reports whether a request is meant for this server. Others can make a
// name of theirs point here, and to a browser their page would then be of our
// origin; an address they cannot. A server on all addresses also answers to the
// machine's own name.
func ourHost(host, configured, machine string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ".")
	configuredIP := net.ParseIP(configured)
	everywhere := configured == "" || configuredIP != nil && configuredIP.IsUnspecified()
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || everywhere || ip.Equal(configuredIP)
	}
	names := []string{"localhost", configured}
	if everywhere {
		names = append(names, machine, machine+".local")
	}
	return host != "" && slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(host, name) })
}
