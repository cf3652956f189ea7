package docutray

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// idleTimeout ends a request in which no byte has moved for so long.
	idleTimeout = time.Minute
	// answerTimeout is how long the answer to a submission may take after the
	// last byte of the body was read. Up to 4 MB may still be in kernel buffers.
	answerTimeout = 3 * time.Minute
	// submitTimeout limits a submission: 100 MB at 30 KB/s.
	submitTimeout = time.Hour
	// queryTimeout limits every other request. It is above 60 s, for which a
	// gateway usually waits for its upstream: what the service may still answer
	// is read.
	queryTimeout = 100 * time.Second
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// call is one request.
type call struct {
	client *Client
	op     string
	key    secret
	caller context.Context // tells the caller's cancellation from a timeout
	timer  *time.Timer     // fires when nothing moves
	cancel context.CancelCauseFunc
	// The request waits for a connection; the one that it has was a kept one.
	connecting, reused atomic.Bool
}

// answer is an answer whose body was read.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	err      error    // why the body is incomplete
	object   []byte   // what the body wraps, once it was decoded
	ids      []string // of the job that it names
	received time.Time
}

func (c *Client) newCall(op string) *call { return &call{client: c, op: op, key: seal("")} }

// start returns a context that ends after total, or idleTimeout after the last
// progress. The caller must call stop.
func (k *call) start(ctx context.Context, total time.Duration) (_ context.Context, stop func()) {
	k.caller = ctx
	late := fmt.Errorf("%w: the whole request took over %v", ErrTimeout, total)
	ctx, release := context.WithTimeoutCause(ctx, total, late)
	ctx, k.cancel = context.WithCancelCause(ctx)
	k.timer = time.AfterFunc(idleTimeout, func() { k.cancel(fmt.Errorf("%w: nothing moved", ErrTimeout)) })
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { k.connecting.Store(true) },
		GotConn: func(i httptrace.GotConnInfo) {
			k.connecting.Store(false)
			k.reused.Store(i.Reused)
		},
	}
	return httptrace.WithClientTrace(ctx, trace), func() {
		k.timer.Stop()
		k.cancel(nil)
		release()
	}
}

// progress allows d until something has to move again.
func (k *call) progress(d time.Duration) { k.timer.Reset(d) }

// request makes a request with the key and the common headers, unless ctx has ended.
func (k *call) request(ctx context.Context, method string, u *url.URL) (*http.Request, *Error) {
	if err := ctx.Err(); err != nil {
		return nil, k.broken(ctx, err)
	}
	key, err := k.client.cfg.Key.Key()
	if err != nil {
		return nil, &Error{Op: k.op, Class: Account, Err: err}
	}
	k.key = seal(key)
	req := http.Request{Method: method, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
		"Authorization":   {"Bearer " + key.Reveal()},
		"Accept":          {"application/json"},
		"Accept-Encoding": {"identity"},
		"User-Agent":      {k.client.cfg.UserAgent},
	}}
	return req.WithContext(ctx), nil
}

// do makes the request and reads the answer. It uses the transport without an
// http.Client, which would follow redirects.
func (k *call) do(req *http.Request) (*answer, *Error) {
	status, begun := 0, time.Now()
	if observe := k.client.cfg.Observe; observe != nil {
		defer func() { observe(k.op, status, time.Since(begun)) }()
	}
	resp, err := k.client.transport.RoundTrip(req)
	if err != nil {
		return nil, k.broken(req.Context(), err)
	}
	defer func() { _ = resp.Body.Close() }()
	status = resp.StatusCode
	ans := &answer{status: status, header: resp.Header, received: time.Now()}
	ans.body, err = readAnswer(movingBody{resp.Body, k})
	ans.body = bytes.TrimPrefix(ans.body, []byte("\ufeff")) // some gateways put a byte order mark before JSON
	if err != nil {
		ans.err = k.broken(req.Context(), err).Err
	}
	return ans, nil
}

// readAnswer reads at most maxAnswer bytes, and unpacks them where they are
// packed although that was refused.
func readAnswer(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxAnswer))
	if err != nil || !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) { // JSON never begins with gzip's mark
		return body, err
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(packed, maxAnswer))
}

// movingBody notes progress as a body is read.
type movingBody struct {
	io.Reader
	call *call
}

func (b movingBody) Read(p []byte) (int, error) {
	b.call.progress(idleTimeout)
	return b.Reader.Read(p)
}

// broken returns the error of a request without a complete answer.
func (k *call) broken(ctx context.Context, err error) *Error {
	e := &Error{Op: k.op, Class: Service, Err: k.redacted(connectionError(err))}
	if own := k.caller.Err(); own != nil {
		e.Class, e.Err = Local, own
		if cause := context.Cause(k.caller); !errors.Is(cause, own) {
			e.Err = fmt.Errorf("%w: %w", own, cause)
		}
	} else if ctx.Err() != nil {
		e.Err = context.Cause(ctx)
	}
	return e
}

// query makes a GET and decodes its answer into v.
func (k *call) query(ctx context.Context, u *url.URL, v any) (*answer, *Error) {
	ctx, stop := k.start(ctx, queryTimeout)
	defer stop()
	k.timer.Stop() // until the answer begins, only the whole time counts
	req, e := k.request(ctx, http.MethodGet, u)
	if e != nil {
		return nil, e
	}
	ans, e := k.do(req)
	if e == nil {
		e = k.refusal(ans)
	}
	if e == nil {
		e = k.decode(ans, v)
	}
	return ans, e
}

// decode reads an answer's body into v, a struct. It ignores a field of an
// unexpected type.
func (k *call) decode(ans *answer, v any) *Error {
	if ans.err != nil {
		return k.unusable(ans, "incomplete", ans.err)
	}
	if isPage(ans) {
		return k.unusable(ans, notDocuTrays, nil)
	}
	if !isObject(ans.body) {
		return k.unusable(ans, "not a JSON object", nil)
	}
	var odd *json.UnmarshalTypeError
	ans.object, ans.ids = unwrapped(ans.body)
	if err := json.Unmarshal(ans.object, v); err != nil && !errors.As(err, &odd) {
		return k.unusable(ans, "invalid JSON", k.redacted(err))
	}
	return nil
}

// unusable returns the error of a 2xx answer that cannot be used.
func (k *call) unusable(ans *answer, why string, err error) *Error {
	e := &Error{Op: k.op, Class: Service, StatusCode: ans.status, Message: "unusable answer: " + why, Err: err,
		RequestID: k.requestID(ans), page: isPage(ans)}
	if k.caller.Err() != nil && errors.Is(err, k.caller.Err()) {
		e.Class = Local
	}
	return e
}

func (k *call) requestID(ans *answer) string {
	return k.show(ans.header.Get("X-Request-ID"), maxName)
}

// minSecret is the shortest key that is looked for in texts, in bytes. A short
// one, such as "test" for the stand-in, occurs in ids and messages by chance.
const minSecret = 12

// containsKey reports whether s contains the key.
func (k *call) containsKey(s string) bool {
	key := k.key().Reveal()
	return len(key) >= minSecret && strings.Contains(s, key)
}

// hidesKey reports whether a code or an id is the key but for such characters.
func (k *call) hidesKey(s string) bool {
	key := lettersAndDigits(k.key().Reveal())
	return k.containsKey(s) || len(key) >= minSecret && strings.Contains(lettersAndDigits(s), key)
}

// lettersAndDigits drops characters that a folder's name may not have, or that cannot be
// seen, and others that keys have.
func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s)
}

// show prepares a text of the service for display. It cleans, redacts, and
// then cuts: in another order a key could survive in part.
func (k *call) show(s string, limit int) string {
	s = clean(s)
	if k.containsKey(s) {
		s = strings.ReplaceAll(s, k.key().Reveal(), Redacted)
	}
	return cut(s, limit)
}

// redacted replaces an error whose text contains the key. A transport quotes
// lines of a malformed answer, which may echo our request.
func (k *call) redacted(err error) error {
	if k.containsKey(err.Error()) {
		return errors.New(k.show(err.Error(), maxMessage))
	}
	return err
}
