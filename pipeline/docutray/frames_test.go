package docutray

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Frames of HTTP/2, RFC 9113.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway, frameWindow = 0, 1, 3, 4, 6, 7, 8

	flagEndStream, flagEndHeaders, flagAck = 1, 4, 1

	codeNone, codeInternal, codeRefused, codeCancel, codeCalm = 0, 2, 7, 8, 11
)

// frames is a peer that speaks HTTP/2 frame by frame and answers submissions as
// a test says. No package for it is at hand, and few frames are needed.
type frames struct {
	conn     net.Conn
	settings []byte
	whole    *atomic.Int32 // bodies that arrived to their end
}

type h2Frame struct {
	kind, flags byte
	stream      uint32
	body        []byte
}

func (f *frames) read() (h2Frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(f.conn, head[:]); err != nil {
		return h2Frame{}, err
	}
	size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	got := h2Frame{kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1), body: make([]byte, size)}
	_, err := io.ReadFull(f.conn, got.body)
	return got, err
}

func (f *frames) write(kind, flags byte, stream uint32, body ...byte) {
	head := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body)), kind, flags}
	_, _ = f.conn.Write(append(binary.BigEndian.AppendUint32(head, stream), body...))
}

func (f *frames) reset(stream uint32, code byte) { f.write(frameReset, 0, stream, 0, 0, 0, code) }

// goAway says that the streams after last were not processed.
func (f *frames) goAway(last uint32, code byte) {
	f.write(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), uint32(code))...)
}

// point is the moment in a submission at which a peer acts.
type point int

const (
	afterHead  point = iota // and before any of the body
	inBody                  // some of it has come
	afterWhole              // all of it has
)

// serve acts on each submission at a point, and says whether to go on with the
// connection.
func (f *frames) serve(at point, act func(f *frames, stream uint32) (goOn bool)) {
	preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	if _, err := io.ReadFull(f.conn, preface); err != nil {
		return
	}
	f.write(frameSettings, 0, 0, f.settings...)
	acted := map[uint32]bool{}
	for {
		got, err := f.read()
		if err != nil {
			return
		}
		now := false
		switch got.kind {
		case frameSettings:
			if got.flags&flagAck == 0 {
				f.write(frameSettings, flagAck, 0)
			}
		case framePing:
			if got.flags&flagAck == 0 {
				f.write(framePing, flagAck, 0, got.body...)
			}
		case frameHeaders:
			now = at == afterHead
		case frameData:
			if n := len(got.body); n > 0 {
				window := binary.BigEndian.AppendUint32(nil, uint32(n))
				f.write(frameWindow, 0, 0, window...)
				f.write(frameWindow, 0, got.stream, window...)
			}
			if got.flags&flagEndStream != 0 {
				f.whole.Add(1)
				now = at == afterWhole
			} else {
				now = at == inBody
			}
		}
		if now && !acted[got.stream] {
			acted[got.stream] = true
			if !act(f, got.stream) {
				return
			}
		}
	}
}

// TestFramesThatEndASubmission: however a peer ends a stream or a connection of
// HTTP/2, nothing sends the document again, and what may have arrived whole is
// told to be unknown.
func TestFramesThatEndASubmission(t *testing.T) {
	resets := func(code byte) func(*frames, uint32) bool {
		return func(f *frames, stream uint32) bool { f.reset(stream, code); return true }
	}
	away := func(code byte, then bool) func(*frames, uint32) bool {
		return func(f *frames, stream uint32) bool { f.goAway(0, code); return then }
	}
	for name, act := range map[string]func(*frames, uint32) bool{
		"refused stream":    resets(codeRefused),
		"cancelled stream":  resets(codeCancel),
		"internal error":    resets(codeInternal),
		"no error":          resets(codeNone),
		"going away":        away(codeNone, true),
		"gone away":         away(codeNone, false),
		"calm down":         away(codeCalm, false),
		"connection closed": func(*frames, uint32) bool { return false },
		"away and refused":  func(f *frames, stream uint32) bool { f.goAway(0, codeNone); f.reset(stream, codeRefused); return true },
	} {
		for at, when := range []string{"after the head", "in the body", "after the body"} {
			for _, size := range []int{300_000, 50_000} { // in portions, and ready before
				t.Run(fmt.Sprint(name, " ", when, " ", size), func(t *testing.T) {
					t.Parallel()
					var whole atomic.Int32
					c := framed(t, &whole, point(at), act)
					if size < maxWhole {
						busy(c)
					}
					_, err := c.Submit(t.Context(), sized(size))
					e := asError(t, err)
					c.Close()
					if n := whole.Load(); n > 1 || n == 1 && !e.Unknown {
						t.Errorf("%d whole bodies arrived; unknown is %v: %v", n, e.Unknown, err)
					}
					if e.Class != Service {
						t.Errorf("%+v", e)
					}
				})
			}
		}
	}
}

// framed is a client of such a peer.
func framed(t *testing.T, whole *atomic.Int32, at point, act func(*frames, uint32) bool, settings ...byte) *Client {
	t.Helper()
	trusted := httptest.NewUnstartedServer(nil)
	trusted.StartTLS()
	t.Cleanup(trusted.Close)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: trusted.TLS.Certificates, NextProtos: []string{"h2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				(&frames{conn: conn, settings: settings, whole: whole}).serve(at, act)
			})
		}
	})
	c := newClient(t, "https://"+ln.Addr().String(), func(cfg *Config) {
		cfg.ContinueTimeout = time.Millisecond
		cfg.AnswerTimeout, cfg.IdleTimeout = 2*time.Second, 2*time.Second
	})
	c.own.TLSClientConfig.RootCAs = trusted.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	t.Cleanup(func() { c.Close(); ln.Close(); all.Wait() })
	return c
}
