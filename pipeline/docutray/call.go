package docutray

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer is the size of the largest answer that is read, in bytes.
const maxAnswer = 1 << 20

// call is one request and what is learned on its way.
type call struct {
	client *Client
	op     string
	key    sealed          // nil until it is known
	caller context.Context // the caller's own, to tell its end from our timeouts

	total  time.Duration // how long all of it may take, until ends
	ends   time.Time
	timer  *time.Timer // ends it when nothing moves, and at ends
	cancel context.CancelCauseFunc

	// Written by the transport, whose goroutines may outlive RoundTrip.
	reusedConn atomic.Bool // the connection was kept from another request
	waited     atomic.Bool // for "100 Continue"
	continued  atomic.Bool // and got it
	reused     bool        // reusedConn when RoundTrip returned
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // why the body is not whole
	at     time.Time
}

func (c *Client) newCall(op string) *call { return &call{client: c, op: op} }

// watch returns a context that ends after total, or when progress was not
// called for as long as its last argument, at first idle. stop releases it.
// One timer serves both: it never runs beyond the end of the whole.
func (k *call) watch(ctx context.Context, total, idle time.Duration) context.Context {
	k.caller, k.total, k.ends = ctx, total, time.Now().Add(total)
	ctx, k.cancel = context.WithCancelCause(ctx)
	k.timer = time.AfterFunc(min(idle, total), k.expire)
	return ctx
}

// progress gives the request another d until something must have moved again.
func (k *call) progress(d time.Duration) { k.timer.Reset(min(d, time.Until(k.ends))) }

func (k *call) expire() {
	if time.Now().Before(k.ends) {
		k.cancel(fmt.Errorf("%w: nothing moved", ErrTimeout))
		return
	}
	k.cancel(fmt.Errorf("%w: the whole request took over %v", ErrTimeout, k.total))
}

func (k *call) stop() {
	k.timer.Stop()
	k.cancel(nil)
}

// trace returns a context in which the transport tells what it does with a
// submission.
func (k *call) trace(ctx context.Context, up *upload) context.Context {
	t := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { k.reusedConn.Store(i.Reused) }}
	if up.taken != nil {
		up.follow(t)
	} else {
		t.Wait100Continue = func() { k.waited.Store(true) }
		t.Got100Continue = func() { k.continued.Store(true) }
	}
	return httptrace.WithClientTrace(ctx, t)
}

// request makes a request with the key and the headers that all of them have.
func (k *call) request(ctx context.Context, method string, u *url.URL) (*http.Request, *Error) {
	key, err := k.client.cfg.Key.Key()
	if err == nil {
		err = checkKey(key.Reveal())
	}
	if err != nil {
		return nil, &Error{Op: k.op, Class: Account, Err: err}
	}
	k.key = seal(key)
	// http.NewRequest would parse the address over again.
	req := http.Request{Method: method, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Authorization": {"Bearer " + key.Reveal()},
			"Accept":        {"application/json"},
			"User-Agent":    {k.client.cfg.UserAgent},
		}}
	return req.WithContext(ctx), nil
}

// do makes the request and reads its answer. The transport is used without an
// http.Client around it: nothing follows redirects, keeps cookies or sends
// a body again.
func (k *call) do(req *http.Request) (*answer, *Error) {
	status := 0
	if observe := k.client.cfg.Observe; observe != nil {
		begun := time.Now()
		defer func() { observe(k.op, status, time.Since(begun)) }()
	}
	resp, err := k.client.transport.RoundTrip(req)
	k.reused = k.reusedConn.Load()
	if err != nil {
		return nil, k.broken(req.Context(), err)
	}
	status = resp.StatusCode
	ans := &answer{status: resp.StatusCode, header: resp.Header, at: time.Now()}
	k.client.expect.heard(ans.at)
	if resp.Body == nil {
		return ans, nil
	}
	defer func() { _ = resp.Body.Close() }()
	ans.body, err = k.read(resp)
	switch {
	case err != nil:
		ans.err = k.broken(req.Context(), err).Err
	case len(ans.body) > maxAnswer:
		ans.err = fmt.Errorf("it is larger than %d bytes", maxAnswer)
	}
	return ans, nil
}

// read reads an answer's body to its end, or until it is larger than maxAnswer.
func (k *call) read(resp *http.Response) ([]byte, error) {
	const usual = 512
	b := make([]byte, 0, max(usual, min(resp.ContentLength+1, maxAnswer+1))) // 1 more, to see the end
	for {
		k.progress(k.client.cfg.IdleTimeout)
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
		n, err := resp.Body.Read(b[len(b):min(cap(b), maxAnswer+1)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil || len(b) > maxAnswer {
			return b, err
		}
	}
}

// broken makes the error of a request that got no whole answer.
func (k *call) broken(ctx context.Context, err error) *Error {
	e := &Error{Op: k.op, Class: Service, Err: k.cause(err)}
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

// cause returns err, unless its text holds the key: a transport quotes lines
// of a broken answer, and the answer may have echoed our request.
func (k *call) cause(err error) error {
	if err != nil && k.holdsKey(err.Error()) {
		return fmt.Errorf("%w: %s", errNoAnswer, k.show(err.Error(), maxMessage))
	}
	return err
}

// minSecret is the length from which a key is looked for in texts, in bytes. A
// real one is far longer; what people try a stand-in with, such as "test",
// stands in ids and messages by chance.
const minSecret = 12

func (k *call) secret() (key string, ok bool) {
	if k.key == nil {
		return "", false
	}
	key = k.key().Reveal()
	return key, len(key) >= minSecret
}

func (k *call) holdsKey(s string) bool {
	key, ok := k.secret()
	return ok && strings.Contains(s, key)
}

// show makes a text of the service's fit to be shown: clean, without the key,
// and short; in this order, so that neither cutting nor cleaning can put
// together or hide a part of a key.
func (k *call) show(s string, limit int) string {
	s = clean(s)
	if key, ok := k.secret(); ok {
		s = strings.ReplaceAll(s, key, Redacted)
	}
	return cut(s, limit)
}

// decode reads the answer's body into v, a struct. A field of another type than
// expected is left empty: one odd field must not make an answer unreadable.
func (k *call) decode(ans *answer, v any) *Error {
	if ans.err != nil {
		return k.unusable(ans, "it did not arrive whole", ans.err)
	}
	if !isObject(ans.body) {
		return k.unusable(ans, "it is not a JSON object", nil)
	}
	var odd *json.UnmarshalTypeError
	if err := json.Unmarshal(ans.body, v); err != nil && !errors.As(err, &odd) {
		return k.unusable(ans, "it is not the JSON expected", k.cause(err))
	}
	return nil
}

// isObject says whether valid JSON is an object.
func isObject(b []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) }

// unusable is the error of a 2xx answer that says nothing.
func (k *call) unusable(ans *answer, why string, err error) *Error {
	e := &Error{Op: k.op, Class: Service, StatusCode: ans.status, Message: "unusable answer: " + why, Err: err,
		RequestID: k.requestID(ans)}
	if k.caller.Err() != nil && errors.Is(err, k.caller.Err()) {
		e.Class = Local
	}
	return e
}

func (k *call) requestID(ans *answer) string {
	return k.show(ans.header.Get("X-Request-ID"), maxName)
}
