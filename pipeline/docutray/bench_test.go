package docutray

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// BenchmarkRequests makes requests of a server that does next to nothing, so
// that what is left is the client and the connection.
func BenchmarkRequests(b *testing.B) {
	srv := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"id":"cm5vm9hx30001m5cgh0p9v8qa","status":"ENQUEUED"}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"cm5vm9hx30001m5cgh0p9v8qa","status":"PROCESSING","request_timestamp":"2025-07-09T21:35:19.138Z"}`)
	}))
	c := newClient(b, srv.URL, func(cfg *Config) { cfg.Logger = nil })
	for _, size := range []int{20_000, 10_000_000} {
		b.Run(fmt.Sprintf("Submit/%dkB", size/1000), func(b *testing.B) {
			content := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				s := submission()
				s.Size, s.Content = int64(size), bytes.NewReader(content)
				if _, err := c.Submit(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Status", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Status(b.Context(), "cm5vm9hx30001m5cgh0p9v8qa"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
