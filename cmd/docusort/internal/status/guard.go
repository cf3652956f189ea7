package status

import (
	"net"
	"net/http"
	"os"
	"strings"
)

// policy is what a browser may do for the page: show what comes from here.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard refuses what is not for us, and says to browsers what they may do with
// the answer.
func (s *Server) guard(next http.Handler) http.Handler {
	configured, _, _ := net.SplitHostPort(s.cfg.Addr)
	machine, _ := os.Hostname()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "There is nothing to change here.", http.StatusMethodNotAllowed)
		case !ourHost(r.Host, configured, machine):
			http.Error(w, "This page is not served under that name: use a loopback address, or the host of DOCUSORT_HTTP_ADDR.",
				http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ourHost says whether a request means this server. A name that somebody else
// owns can be made to point here, and their page would then be of our origin as
// far as a browser knows; an address cannot be made to. Listening on all
// addresses, we also answer to the machine's own name.
func ourHost(host, configured, machine string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ".")
	everywhere := configured == ""
	if ip := net.ParseIP(configured); ip != nil {
		everywhere = ip.IsUnspecified()
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback() || everywhere || ip.Equal(net.ParseIP(configured))
	}
	return strings.EqualFold(host, "localhost") || host != "" && strings.EqualFold(host, configured) ||
		everywhere && machine != "" && (strings.EqualFold(host, machine) || strings.EqualFold(host, machine+".local"))
}

func loopbackAddr(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
