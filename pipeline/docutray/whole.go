package docutray

import (
	"bytes"
	"io"
	"net/http/httptrace"
	"sync"
)

// maxWhole is the length of the longest body, in bytes, that is made ready
// before its request and sent with the request's head in one write: both fit into
// the write buffer of a connection (64 KB) with the longest key.
//
// In portions net/http writes the head by itself and allocates a buffer for the
// rest: for 20 KB that is nearly twice the processor time here, and a third more
// at the other end.
const maxWhole = 56 << 10

var wholeBuffers = sync.Pool{New: func() any { return new([maxWhole]byte) }}

// whole is a body that is ready to be sent.
type whole struct {
	buffer *[maxWhole]byte
	length int
}

// readWhole reads a body of length bytes by the same rules by which it would
// be sent in portions.
func (u *upload) readWhole(length int) (whole, error) {
	w := whole{wholeBuffers.Get().(*[maxWhole]byte), length}
	if _, err := io.ReadFull(u, w.buffer[:length]); err != nil {
		wholeBuffers.Put(w.buffer)
		return whole{}, err
	}
	return w, nil
}

// upload is one attempt to send it.
func (w whole) upload() *upload { return &upload{whole: w, taken: make(chan struct{})} }

// reader is of the one kind for which net/http waits with the head: a reader in
// memory that it knows. What becomes of it is learned from the trace.
func (w whole) reader() io.ReadCloser { return io.NopCloser(bytes.NewReader(w.buffer[:w.length])) }

// follow notes what the transport does with a whole body: it takes nothing of
// it before WroteHeaders, and has, or will never have, all of it at
// WroteRequest. As with a body in portions that is before the service can have
// the last byte, except over HTTP/2; see stop.
func (u *upload) follow(trace *httptrace.ClientTrace) {
	trace.WroteHeaders = func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if !u.stopped {
			u.started = true
			u.progress()
		}
	}
	trace.WroteRequest = func(info httptrace.WroteRequestInfo) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.stopped || u.through {
			return
		}
		u.through, u.done = true, info.Err == nil
		close(u.taken)
		if u.done {
			u.complete()
		}
	}
}

// recycle gives the buffer of a whole body back, unless the transport may
// still read it.
func (u *upload) recycle() {
	if u.through {
		wholeBuffers.Put(u.whole.buffer)
	}
}
