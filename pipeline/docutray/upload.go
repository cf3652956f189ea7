package docutray

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// multipartFrame lays the fields out with the file last, so that a service
// which reads them in order knows the options before the document. None of what
// it is given can hold a line break or a quote that ends a field early: the
// options and metadata are JSON in a part of their own, the rest was checked.
// It is written by hand, as mime/multipart takes four times as long for it.
func multipartFrame(s Submission) (head, tail []byte, contentType string, err error) {
	options, err := json.Marshal(s.Types)
	if err != nil {
		return nil, nil, "", err
	}
	boundary := rand.Text()
	b := make([]byte, 0, 512+len(options)+len(s.Metadata))
	field := func(name, value string) {
		if value != "" {
			b = append(b, "--"+boundary+"\r\nContent-Disposition: form-data; name=\""+name+"\"\r\n\r\n"+value+"\r\n"...)
		}
	}
	field("document_type_code_options", string(options))
	field("document_metadata", string(s.Metadata))
	field("image_content_type", s.ContentType)
	b = append(b, "--"+boundary+"\r\nContent-Disposition: form-data; name=\"image\"; filename=\""+cleanFilename(s.Filename)+
		"\"\r\nContent-Type: "+s.ContentType+"\r\n\r\n"...)
	n := len(b)
	b = append(b, "\r\n--"+boundary+"--\r\n"...)
	return b[:n:n], b[n:], "multipart/form-data; boundary=" + boundary, nil
}

// isMediaType accepts type/subtype without parameters.
func isMediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	token := func(t string) bool {
		return t != "" && strings.Trim(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_") == ""
	}
	return ok && len(s) <= 100 && token(kind) && token(sub)
}

var (
	errStopped = errors.New("the request has ended")
	errShrank  = errors.New("it ended early, it must have been cut")
	errGrew    = errors.New("it goes on beyond its size, it must have grown")
)

// upload is the body of one submission: head, content, tail. It gives out the
// tail, without which no service has a complete body, only after the content
// ended without an error at exactly its size. A small one is made whole before
// it is sent.
//
// A transport may go on reading a body after RoundTrip has returned; stop ends
// that. The fields below mu are settled once stop has returned.
type upload struct {
	progress func() // called at each read
	complete func() // called once, when the last byte was given out

	whole whole         // if it is sent so
	taken chan struct{} // closed when through; nil in portions

	mu      sync.Mutex
	head    []byte
	content io.Reader
	left    int64 // bytes of content to come
	tail    []byte
	ended   bool // the content's io.EOF was seen
	started bool // a byte was asked for, so it may have been sent
	done    bool // the last byte was given out
	through bool // the transport asks for no more of a whole body
	stopped bool
	err     error // the content's
}

// Read implements io.Reader. It fills p as far as it can, for each Read becomes
// a write of the connection.
func (u *upload) Read(p []byte) (n int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.stopped:
		return 0, errStopped
	case u.err != nil:
		return 0, u.err
	case u.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	u.started = true
	for n < len(p) && !u.done && err == nil {
		u.progress()
		var m int
		m, err = u.next(p[n:])
		n += m
	}
	if u.done {
		u.complete()
	}
	return n, err
}

// next gives a part of head, content or tail.
func (u *upload) next(p []byte) (n int, err error) {
	if len(u.head) > 0 {
		n = copy(p, u.head)
		u.head = u.head[n:]
		return n, nil
	}
	if !u.ended {
		n, err = u.readContent(p)
		if n > 0 || err != nil {
			return n, err
		}
	}
	n = copy(p, u.tail)
	u.tail = u.tail[n:]
	u.done = len(u.tail) == 0
	return n, nil
}

// readContent gives content, or nothing once it has ended as it should.
func (u *upload) readContent(p []byte) (int, error) {
	var probe [1]byte
	for range 100 {
		buf := probe[:] // past the size: only to see that it ends
		if u.left > 0 {
			buf = p[:min(int64(len(p)), u.left)]
		}
		n, err := u.content.Read(buf)
		if n < 0 || n > len(buf) {
			return 0, u.fail(fmt.Errorf("it says it read %d bytes of %d", n, len(buf)))
		}
		if n > 0 && u.left == 0 {
			return 0, u.fail(errGrew)
		}
		u.left -= int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, u.fail(err)
		}
		if err != nil && u.left > 0 {
			return 0, u.fail(errShrank)
		}
		u.ended = err != nil
		if n > 0 || u.ended {
			return n, nil
		}
	}
	return 0, u.fail(io.ErrNoProgress)
}

func (u *upload) fail(err error) error {
	u.err = err
	return err
}

// Close implements io.Closer for the transport. The content is not closed.
func (u *upload) Close() error { return nil }

// stop waits for a Read under way and makes later ones fail. If there was an
// answer to a whole body it waits for the transport to be through with it: over
// HTTP/2 it learns that its last byte was sent after the service may have it.
func (u *upload) stop(ctx context.Context, answered bool) {
	if u.taken != nil && answered {
		select {
		case <-u.taken:
		case <-ctx.Done():
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
}

// body is what a transport is given.
func (u *upload) body() io.ReadCloser {
	if u.taken != nil {
		return u.whole.reader()
	}
	return u
}
