package docutray

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"sync"
)

// multipartFrame lays the fields out with the file last, so that a service
// which reads them in order knows the options before the document.
func multipartFrame(s Submission) (head, tail []byte, contentType string, err error) {
	options, err := json.Marshal(s.Types)
	if err != nil {
		return nil, nil, "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fields := []struct{ name, value string }{
		{"document_type_code_options", string(options)},
		{"document_metadata", string(s.Metadata)},
		{"image_content_type", s.ContentType},
	}
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		if err := w.WriteField(f.name, f.value); err != nil {
			return nil, nil, "", err
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="image"; filename="`+cleanFilename(s.Filename)+`"`)
	h.Set("Content-Type", s.ContentType)
	if _, err := w.CreatePart(h); err != nil {
		return nil, nil, "", err
	}
	n := b.Len()
	if err := w.Close(); err != nil {
		return nil, nil, "", err
	}
	return b.Bytes()[:n:n], b.Bytes()[n:], w.FormDataContentType(), nil
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
// ended without an error at exactly its size.
//
// A transport may go on reading a body after RoundTrip has returned; stop ends
// that. The fields below mu are settled once stop has returned.
type upload struct {
	progress func() // called at each read
	complete func() // called once, when the last byte was given out

	mu      sync.Mutex
	head    []byte
	content io.Reader
	left    int64 // bytes of content to come
	tail    []byte
	ended   bool // the content's io.EOF was seen
	started bool // a byte was asked for, so it may have been sent
	done    bool // the last byte was given out
	stopped bool
	err     error // the content's
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
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
	u.progress()
	if len(u.head) > 0 {
		n := copy(p, u.head)
		u.head = u.head[n:]
		return n, nil
	}
	if !u.ended {
		n, err := u.readContent(p)
		if n > 0 || err != nil {
			return n, err
		}
	}
	n := copy(p, u.tail)
	u.tail = u.tail[n:]
	if len(u.tail) == 0 {
		u.done = true
		u.complete()
	}
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

// stop waits for a Read under way and makes later ones fail.
func (u *upload) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
}
