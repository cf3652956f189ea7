package docutray

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a transport that takes a body in portions with pauses, then waits,
// then answers slowly.
func slow(portion int, pause, wait, answer time.Duration) roundTrip {
	sleep := func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return func(r *http.Request) (*http.Response, error) {
		for r.Body != nil {
			_, err := io.CopyN(io.Discard, r.Body, int64(portion))
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = sleep(r.Context(), pause)
			}
			if err != nil {
				return nil, err
			}
		}
		if err := sleep(r.Context(), wait); err != nil {
			return nil, err
		}
		body := readFunc(nil)
		left := `{"id":"j","status":"ENQUEUED"}`
		body = func(p []byte) (int, error) {
			if left == "" {
				return 0, io.EOF
			}
			if err := sleep(r.Context(), answer); err != nil {
				return 0, err
			}
			n := copy(p[:1], left)
			left = left[n:]
			return n, nil
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	}
}

func TestTimeouts(t *testing.T) {
	const none = time.Nanosecond
	for name, c := range map[string]struct {
		transport roundTrip
		submit    bool
		after     time.Duration // when it times out; 0: it succeeds
	}{
		"steady upload":          {slow(2000, 59*time.Second, none, none), true, 0},
		"upload stalls":          {slow(2000, 61*time.Second, none, none), true, time.Minute},
		"late answer":            {slow(1<<20, none, 179*time.Second, none), true, 0},
		"no answer":              {slow(1<<20, none, time.Hour, none), true, 3 * time.Minute},
		"slow answer":            {slow(1<<20, none, none, 59*time.Second), true, 0},
		"answer stalls":          {slow(1<<20, none, none, 61*time.Second), true, time.Minute},
		"slower than a cap":      {slow(1000, 59*time.Second, none, none), true, time.Hour},
		"poll without an answer": {slow(1, none, time.Hour, none), false, 100 * time.Second},
		"poll that is slow":      {slow(1, none, 90*time.Second, none), false, 0},
		"poll that stalls":       {slow(1, none, none, 61*time.Second), false, time.Minute},
		"poll that drips":        {slow(1, none, none, 10*time.Second), false, 100 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := newClient(t, "https://service.invalid", func(cfg *Config) { cfg.Transport = c.transport })
			start := time.Now()
			var err error
			if c.submit {
				_, err = client.Submit(t.Context(), sized(oneWrite+1))
			} else {
				_, err = client.Status(t.Context(), "j")
			}
			took := time.Since(start)
			if c.after == 0 {
				if err != nil {
					t.Errorf("%s: %v after %v", name, err, took)
				}
				return
			}
			e := asError(t, err)
			if !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) || e.Class != Service ||
				e.OutcomeUnknown != c.submit || took < c.after || took > c.after+time.Second {
				t.Errorf("%s: %+v after %v, want %v", name, e, took, c.after)
			}
			if capped := c.after == 100*time.Second || c.after == time.Hour; capped != strings.Contains(err.Error(), "the whole request took over") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestCallerEndsIt(t *testing.T) {
	for name, tr := range map[string]roundTrip{
		"in the upload":     slow(2000, 59*time.Second, 1, 1),
		"before the answer": slow(1<<20, 1, time.Hour, 1),
		"in the answer":     slow(1<<20, 1, 1, 59*time.Second),
	} {
		synctest.Test(t, func(t *testing.T) {
			why := errors.New("shutting down")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(2*time.Minute, func() { cancel(why) })
			client := newClient(t, "https://service.invalid", func(cfg *Config) { cfg.Transport = tr })
			_, err := client.Submit(ctx, sized(oneWrite+1))
			e := asError(t, err)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || e.Class != Local || !e.OutcomeUnknown || !e.Sent {
				t.Errorf("%s: %+v", name, e)
			}
		})
	}
}
