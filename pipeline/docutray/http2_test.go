package docutray

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"docusort/pipeline/docutray/docutraytest"
)

// newHTTP2 serves h over HTTP/2 and TLS, as the service does, to a client with
// a transport of its own.
func newHTTP2(t *testing.T, h http.Handler) (*Client, *httptest.Server) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("it speaks %s", r.Proto)
		}
		h.ServeHTTP(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := newClient(t, srv.URL)
	c.own.TLSClientConfig.RootCAs = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return c, srv
}

func TestHTTP2(t *testing.T) {
	sim := docutraytest.New(docutraytest.Options{})
	c, srv := newHTTP2(t, sim)
	big := append(bytes.Clone(pdf), make([]byte, 3<<20)...)
	s := submission()
	s.Content, s.Size = bytes.NewReader(big), int64(len(big))
	id, err := c.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := c.Status(t.Context(), id); err != nil || st.State != Succeeded {
		t.Errorf("%+v %v", st, err)
	}
	s.Content = io.MultiReader(bytes.NewReader(big), iotest.ErrReader(errHash))
	_, err = c.Submit(t.Context(), s)
	if e := asError(t, err); e.Class != Local || e.Unknown || !errors.Is(err, errHash) {
		t.Errorf("%+v", e)
	}
	sim.SetFaults(docutraytest.Faults{DropAfter: 1})
	_, err = c.Submit(t.Context(), submission())
	if e := asError(t, err); e.Class != Service || !e.Unknown || !e.Sent {
		t.Errorf("%+v", e)
	}
	c.Close()
	srv.Close()
	if st := sim.Stats(); st.Complete != 2 || st.Jobs != 2 {
		t.Errorf("%+v", st)
	}
}

// TestNoReplayOverHTTP2: an error of a stream makes Go send a request again if
// it can; ours it cannot.
func TestNoReplayOverHTTP2(t *testing.T) {
	var posts atomic.Int32
	c, _ := newHTTP2(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		posts.Add(1)
		panic(http.ErrAbortHandler)
	}))
	_, err := c.Submit(t.Context(), submission())
	if e := asError(t, err); !e.Unknown || posts.Load() != 1 {
		t.Errorf("%v, %d submissions", e, posts.Load())
	}
}

// TestStrangerCertificate: a host that cannot show who it is gets nothing.
func TestStrangerCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, err := newClient(t, srv.URL).Submit(t.Context(), submission())
	if e := asError(t, err); e.Class != Service || e.Sent || e.Unknown {
		t.Errorf("%+v", e)
	}
}
