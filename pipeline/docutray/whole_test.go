package docutray

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// writes counts the writes of the connections that a client makes.
func writes(c *Client) *atomic.Int32 {
	var n atomic.Int32
	dial := c.own.DialContext
	c.own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return countingConn{conn, &n}, err
	}
	return &n
}

type countingConn struct {
	net.Conn
	n *atomic.Int32
}

func (c countingConn) Write(p []byte) (int, error) {
	c.n.Add(1)
	return c.Conn.Write(p)
}

// TestOneWrite: a small document goes out with the head of its request in one
// write, a larger one without writes for what stands around it.
func TestOneWrite(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"j"}`)
	}))
	for size, want := range map[int]int32{0: 1, 20_000: 1, maxWhole - 1000: 1, 90_000: 1 + 3} {
		c := busy(newClient(t, srv.URL))
		n := writes(c)
		if id, err := c.Submit(t.Context(), sized(size)); err != nil || id != "j" {
			t.Fatal(id, err)
		}
		if n.Load() != want {
			t.Errorf("%d bytes: %d writes, want %d", size, n.Load(), want)
		}
	}
}

// TestWhatBecameOfASmallBody: one that is sent in one go with its head is told
// of as strictly. A refusal that comes before the body was read is a refusal.
func TestWhatBecameOfASmallBody(t *testing.T) {
	for name, c := range map[string]struct {
		handle        func(c net.Conn, r *bufio.Reader)
		sent, unknown bool
		class         Class
		status        int
	}{
		"refused after the head":   {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "401 No\r\nConnection: close", "{}") }, true, false, Account, 401},
		"limited after the head":   {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "429 No\r\nConnection: close", "{}") }, true, false, Rate, 429},
		"too large after the head": {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "413 No\r\nConnection: close", "{}") }, true, false, Document, 413},
		"gateway after the head":   {func(c net.Conn, r *bufio.Reader) { head(r); reply(c, "502 No\r\nConnection: close", "{}") }, true, true, Service, 502},
		"closed after the head":    {func(_ net.Conn, r *bufio.Reader) { head(r) }, true, true, Service, 0},
		"closed in the body":       {func(_ net.Conn, r *bufio.Reader) { head(r); _, _ = r.Discard(100) }, true, true, Service, 0},
		"closed after the body":    {func(c net.Conn, r *bufio.Reader) { request(c, r) }, true, true, Service, 0},
		"refused after the body":   {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "400 No", "{}") }, true, false, Document, 400},
		"service fails":            {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "500 No", "{}") }, true, false, Service, 500},
		"gateway lost it":          {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "504 No", "{}") }, true, true, Service, 504},
		"answer without an id":     {func(c net.Conn, r *bufio.Reader) { request(c, r); reply(c, "202 OK", `{"id":null}`) }, true, true, Service, 202},
		"answer is no HTTP":        {func(c net.Conn, r *bufio.Reader) { request(c, r); _, _ = io.WriteString(c, "what?\r\n\r\n") }, true, true, Service, 0},
	} {
		t.Run(name, func(t *testing.T) {
			url := rawServer(t, func(_ int, conn net.Conn, r *bufio.Reader) { c.handle(conn, r) })
			id, err := busy(newClient(t, url)).Submit(t.Context(), sized(1000))
			e := asError(t, err)
			if id != "" || e.Sent != c.sent || e.Unknown != c.unknown || e.Class != c.class || e.StatusCode != c.status {
				t.Errorf("sent %v, unknown %v, %v, %d: %v", e.Sent, e.Unknown, e.Class, e.StatusCode, err)
			}
		})
	}
}

// TestSmallContentThatFails: what is read before the request fails before it.
func TestSmallContentThatFails(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	c := busy(newClient(t, srv.URL, func(cfg *Config) {
		cfg.Observe = func(string, int, time.Duration) { t.Error("a request was observed") }
	}))
	for name, s := range map[string]struct {
		content io.Reader
		size    int
		want    error
	}{
		"error at the end": {io.MultiReader(bytes.NewReader(pdf), iotest.ErrReader(errHash)), len(pdf), errHash},
		"error at once":    {iotest.ErrReader(errHash), 10, errHash},
		"shrank":           {bytes.NewReader(pdf), len(pdf) + 1, errShrank},
		"grew":             {bytes.NewReader(pdf), len(pdf) - 1, errGrew},
		"never moves":      {neverMoves{}, 5, io.ErrNoProgress},
		"lies":             {lies{}, 5, nil},
	} {
		doc := submission()
		doc.Content, doc.Size = s.content, int64(s.size)
		_, err := c.Submit(t.Context(), doc)
		if e := asError(t, err); e.Class != Local || e.Unknown || e.Sent || !errors.Is(err, ErrContent) ||
			s.want != nil && !errors.Is(err, s.want) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestSmallDocumentsKeepApart: their buffers are used again, also while a
// service refuses some of them early, and none gets another's content.
func TestSmallDocumentsKeepApart(t *testing.T) {
	var got sync.Map
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength%3 == 0 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		form, err := multipart.NewReader(r.Body, params["boundary"]).ReadForm(1 << 20)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		image := form.File["image"][0]
		f, _ := image.Open()
		content, _ := io.ReadAll(f)
		got.Store(r.Proto+image.Filename, content)
		_, _ = io.WriteString(w, `{"id":"`+image.Filename+`"}`)
	})
	http2, _ := newHTTP2(t, h)
	for proto, c := range map[string]*Client{"HTTP/1.1": newClient(t, serve(t, h).URL), "HTTP/2.0": http2} {
		busy(c)
		var all sync.WaitGroup
		for worker := range 8 {
			all.Go(func() {
				for i := range 50 {
					name := fmt.Sprintf("%d-%d", worker, i)
					content := bytes.Repeat([]byte(name), 1+i*50)
					s := submission()
					s.Filename, s.Content, s.Size = name, bytes.NewReader(content), int64(len(content))
					id, err := c.Submit(t.Context(), s)
					if e, _ := AsError(err); e != nil && e.Class == Rate {
						continue
					}
					sent, _ := got.Load(proto + name)
					if sent, _ := sent.([]byte); err != nil || id != name || !bytes.Equal(sent, content) {
						t.Errorf("%s: %s: %q %v, %d bytes arrived of %d", proto, name, id, err, len(sent), len(content))
					}
				}
			})
		}
		all.Wait()
	}
}

// TestSmallDocumentAcceptedTooEarly: over HTTP/2 a peer can answer although it
// lets nothing of the document come.
func TestSmallDocumentAcceptedTooEarly(t *testing.T) {
	var whole atomic.Int32
	noWindow := []byte{0, 4, 0, 0, 0, 0} // SETTINGS_INITIAL_WINDOW_SIZE
	c := framed(t, &whole, afterHead, func(f *frames, stream uint32) bool {
		body := `{"data":[]}`
		if stream > 1 {
			body = `{"id":"j"}`
		}
		f.write(frameHeaders, flagEndHeaders, stream, 0x88) // :status 200
		f.write(frameData, flagEndStream, stream, []byte(body)...)
		return true
	}, noWindow...)
	if err := c.Ping(t.Context()); err != nil { // it knows of the window now
		t.Fatal(err)
	}
	_, err := busy(c).Submit(t.Context(), submission())
	if e := asError(t, err); !e.Unknown || e.StatusCode != 200 || whole.Load() != 0 {
		t.Errorf("%+v, %d whole bodies arrived", e, whole.Load())
	}
}

// TestAnswerBeforeTheWriteReturned: over HTTP/2 a gateway that has the whole
// document can say that it lost it before we know that it was written.
func TestAnswerBeforeTheWriteReturned(t *testing.T) {
	c, _ := newHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"data":[]}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusBadGateway)
	}))
	answered := make(chan struct{})
	c.own.TLSClientConfig.DynamicRecordSizingDisabled = true
	dial := c.own.DialContext
	c.own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return slowConn{conn, answered}, err
	}
	if err := c.Ping(t.Context()); err != nil { // the connection's own frames are over with
		t.Fatal(err)
	}
	c.cfg.Observe = func(string, int, time.Duration) { close(answered) }
	_, err := busy(c).Submit(t.Context(), sized(10_000))
	if e := asError(t, err); !e.Unknown || !e.Sent || e.StatusCode != http.StatusBadGateway {
		t.Errorf("%+v", e)
	}
}

// slowConn returns from the write of a document only when it was answered.
type slowConn struct {
	net.Conn
	answered chan struct{}
}

func (c slowConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if len(p) > 10_000 {
		<-c.answered
	}
	return n, err
}

// TestSmallDocumentWithoutAnAnswer: the timer runs on from the write.
func TestSmallDocumentWithoutAnAnswer(t *testing.T) {
	url := rawServer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		request(c, r)
		_, _ = r.ReadByte() // until the client has gone
	})
	c := busy(newClient(t, url, func(cfg *Config) { cfg.IdleTimeout, cfg.AnswerTimeout = time.Minute, time.Millisecond }))
	_, err := c.Submit(t.Context(), submission())
	if e := asError(t, err); !errors.Is(err, ErrTimeout) || e.Class != Service || !e.Unknown || !e.Sent {
		t.Errorf("%+v", e)
	}
}
