package docutray

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

var (
	errStopped = errors.New("the request has ended")
	errShrank  = errors.New("it is shorter than expected")
	errGrew    = errors.New("it is longer than expected")
)

// upload is the body of one POST. It reads the tail of the form, without which
// no body is complete, only after the content ended without error at exactly
// its size.
//
// A transport may read on after RoundTrip has returned. After stop it gets
// nothing, and the fields below mu no longer change.
type upload struct {
	call *call

	mu      sync.Mutex
	body    io.Reader
	left    int64 // bytes still to be read
	started bool  // a byte was read by the transport, so it may have been sent
	whole   bool  // the transport has all of it in memory, so it may have been sent once there is a connection
	stopped bool
	err     error // the content's
}

func newUpload(k *call, s Submission, f form) *upload {
	content := &exactReader{r: s.Content, left: s.Size}
	return &upload{call: k, left: f.length,
		body: io.MultiReader(bytes.NewReader(f.head), content, bytes.NewReader(f.tail))}
}

// inMemory reads the whole body, of length bytes, into memory and gives it to req in the
// type that net/http does not flush the header for. Nothing is sent of a content that
// fails. A kept connection that takes no byte of it is replaced by net/http.
func (u *upload) inMemory(req *http.Request, length int64) *Error {
	body := make([]byte, length)
	_, err := io.ReadFull(u, body)
	u.started = false
	if err != nil {
		e := &Error{Op: OpSubmit, Class: Local, Err: err}
		u.outcome(e)
		return e
	}
	u.whole = true
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return nil
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
	}
	u.started = true
	u.call.progress(idleTimeout)
	n, err := u.body.Read(p)
	u.left -= int64(n)
	if err != nil && err != io.EOF {
		u.err = err
	}
	if u.left == 0 {
		u.call.progress(answerTimeout)
	}
	return n, err
}

// Close implements io.Closer for the transport. It does not close the content.
func (u *upload) Close() error { return nil }

// stop waits for a Read in progress and makes later ones fail.
func (u *upload) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
}

// exactReader fails if r does not end after exactly left bytes.
type exactReader struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (e *exactReader) Read(p []byte) (int, error) {
	if e.left == 0 {
		n, err := e.r.Read(make([]byte, 1))
		if n > 0 {
			return 0, errGrew
		}
		return 0, err
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = errShrank
	}
	return n, err
}
