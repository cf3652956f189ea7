package docutraytest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
)

// Transport returns a RoundTripper that calls the stand-in in the caller's
// goroutine, without a network, so that it works in a testing/synctest bubble. A
// dropped connection is io.ErrUnexpectedEOF.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	defer func() { _ = body.Close() }()
	if err := r.Context().Err(); err != nil {
		return nil, context.Cause(r.Context())
	}
	defer func() {
		switch p := recover(); {
		case p == nil:
		case p == http.ErrAbortHandler:
			resp, err = nil, io.ErrUnexpectedEOF
			if r.Context().Err() != nil {
				err = context.Cause(r.Context())
			}
		default:
			panic(p)
		}
	}()
	// A server gets a body of exactly the declared length. A reader that fails
	// breaks the connection, and the client sees the reader's error.
	sent := &sentBody{r: body, left: r.ContentLength}
	in := r.Clone(r.Context())
	in.Body, in.RequestURI, in.RemoteAddr = io.NopCloser(sent), r.URL.RequestURI(), "127.0.0.1:1"
	w := httptest.NewRecorder()
	t.s.ServeHTTP(w, in)
	if sent.err != nil {
		return nil, sent.err
	}
	if r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	resp = w.Result()
	resp.Request = r
	return resp, nil
}

// sentBody is a request's body as the server sees it.
type sentBody struct {
	r    io.Reader
	left int64 // negative: of unknown length
	err  error // the sender's
}

func (b *sentBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		b.err = io.ErrUnexpectedEOF
	} else if err != nil && err != io.EOF {
		b.err = err
	}
	if b.err != nil {
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}
