package settings

import "testing"

// A port alone is for this machine; everybody else has to be asked for.
func TestHTTPAddr(t *testing.T) {
	for given, want := range map[string]string{
		"9464": "127.0.0.1:9464", ":9464": "127.0.0.1:9464", "127.0.0.1:0": "127.0.0.1:0", "localhost:80": "localhost:80",
		"[::1]:9464": "[::1]:9464", "0.0.0.0:9464": "0.0.0.0:9464", "[::]:9464": "[::]:9464", "scans.example.com:80": "scans.example.com:80",
	} {
		if got, err := httpAddr(given); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", given, got, err, want)
		}
	}
	for _, bad := range []string{"localhost", "::1", "::1:80", "http://localhost:80", "*:80", "80/", "-1", "65536", "a b:80", "x:http"} {
		if got, err := httpAddr(bad); err == nil {
			t.Errorf("%q was taken for %q", bad, got)
		}
	}
}
