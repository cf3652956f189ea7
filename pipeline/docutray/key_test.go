package docutray

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
)

const testSecret = "dt_live_never_to_be_seen"

// prints returns v in every form that a program prints values in.
func prints(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		_, _ = fmt.Fprintf(&b, verb+"\n", v)
	}
	_ = json.NewEncoder(&b).Encode(v)
	_ = json.NewEncoder(&b).Encode(map[string]any{"x": []any{v}})
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("x", "v", v, slog.Group("g", "v", []any{v}))
	}
	_ = template.Must(template.New("").Parse("{{.}}")).Execute(&b, v)
	return b.String()
}

// writeKey writes a key file.
func writeKey(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func leaks(s string) bool {
	return strings.Contains(s, testSecret) || strings.Contains(strings.ToLower(s), fmt.Sprintf("%x", testSecret)) ||
		strings.Contains(s, "never_to_be") || strings.Contains(s, fmt.Sprint([]byte(testSecret))[1:20])
}

func TestKeyPrintsAsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	writeKey(t, path, testSecret+"\n")
	file, err := FileKey(path)
	must(t, err)
	static := StaticKey(" " + testSecret + "\n")
	cfg := Config{BaseURL: "https://x", Key: static}
	c, err := New(cfg)
	must(t, err)
	k := Key(testSecret)
	for _, v := range []any{k, &k, []Key{k}, map[string]Key{"k": k}, struct{ K Key }{k}, static, file, cfg, &cfg,
		c, &call{client: c, key: seal(k)}} {
		if s := prints(t, v); leaks(s) {
			t.Errorf("%T shows the key: %s", v, s)
		}
	}
	if k.Reveal() != testSecret {
		t.Error("Reveal hides it, too")
	}
}

// TestEchoedKey: a key that the service sends back reaches no error, no status
// and no log.
func TestEchoedKey(t *testing.T) {
	echo := "Bearer " + testSecret
	split := "dt_live\\u200b_never\\u0000_to_be_seen"      // put together by cleaning
	long := strings.Repeat("x", maxMessage-8) + testSecret // cut in its middle
	var bodies []string
	for _, e := range []string{echo, split, long} {
		bodies = append(bodies, `{"message":"`+e+`","errors":["`+e+`",{"message":"`+e+`"},{"k":"`+e+`"}]}`,
			`{"error":"`+e+`"}`, `{"error":{"code":"`+e+`"}}`, `{"detail":["`+e+`"]}`, e,
			`{"id":"`+testSecret+`","status":"SUCCESS","document_type":{"code":"`+testSecret+`"}}`,
			`{"status":"ERROR","error":"`+e+`"}`, `{"status":"`+e+`"}`, `{"data":[{"codeType":"`+testSecret+`"},{"codeType":"a","name":"`+e+`"}]}`,
			`{"status":"SUCCESS","document_type":{"code":"a","name":"`+e+`"},"alternatives":[{"code":"`+testSecret+`"},{"code":"b","name":"`+e+`"}]}`)
	}
	var log bytes.Buffer
	for _, body := range bodies {
		for _, status := range []int{200, 302, 400, 401, 402, 403, 404, 429, 500} {
			h := http.Header{"X-Request-Id": {echo}, "Retry-After": {echo}, "Location": {echo}}
			c := newClient(t, "https://service.invalid", func(c *Config) {
				c.Key, c.Transport = StaticKey(testSecret), answering(status, h, body)
				c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			id, err := c.Submit(t.Context(), submission())
			st, err2 := c.Status(t.Context(), "j")
			types, err3 := c.DocumentTypes(t.Context())
			for _, v := range []any{id, err, st, err2, types, err3} {
				if s := prints(t, v); leaks(s) {
					t.Fatalf("%d %s: %T shows the key: %s", status, body, v, s)
				}
			}
		}
	}
	if leaks(log.String()) {
		t.Errorf("the log shows the key: %s", &log)
	}
}

// TestKeyHiddenInCodes: no code becomes a folder that is named after the key.
func TestKeyHiddenInCodes(t *testing.T) {
	for _, hidden := range []string{"\u200b", "\u034f", "\ufe0f", "\u3164", "/", `\`, " ", "\u202e", "\u00ad"} {
		code, _ := json.Marshal("x" + testSecret[:9] + hidden + testSecret[9:])
		ask := func(body string) *Client {
			return newClient(t, "https://service.invalid", func(c *Config) {
				c.Key, c.Transport = StaticKey(testSecret), answering(200, nil, body)
			})
		}
		_, err := ask(`{"status":"SUCCESS","document_type":{"code":`+string(code)+`}}`).Status(t.Context(), "j")
		if e := asError(t, err); e.Class != Service || !strings.Contains(e.Message, "unusable type") {
			t.Errorf("%s: %+v", code, e)
		}
		st, err := ask(`{"status":"SUCCESS","document_type":{"code":"a"},"alternatives":[{"code":`+string(code)+`}]}`).Status(t.Context(), "j")
		if len(st.Alternatives) > 0 || err != nil {
			t.Errorf("%s: %+v %v", code, st, err)
		}
		st, err = ask(`{"status":"ERROR","error":`+string(code)+`}`).Status(t.Context(), "j")
		if hidden[0] > 127 && st.Error != "x"+Redacted || err != nil {
			t.Errorf("%s: %+v %v", code, st, err)
		}
		types, err := ask(`{"data":[{"codeType":` + string(code) + `}]}`).DocumentTypes(t.Context())
		if len(types) > 0 || err != nil {
			t.Errorf("%s: %+v %v", code, types, err)
		}
	}
}

// TestEchoedKeyInBrokenHTTP: errors of net/http quote what it cannot parse.
func TestEchoedKeyInBrokenHTTP(t *testing.T) {
	url := rawServer(t, func(_ int, c net.Conn, r *bufio.Reader) {
		request(c, r)
		_, _ = io.WriteString(c, "HTTP/1.1 "+testSecret+"\r\n\r\n")
	})
	c := newClient(t, url, func(c *Config) { c.Key = StaticKey(testSecret) })
	_, err := c.Submit(t.Context(), submission())
	for ; err != nil; err = errors.Unwrap(err) {
		if s := prints(t, err); leaks(s) {
			t.Errorf("%T shows the key: %s", err, s)
		}
	}
}

func TestUnusableKeys(t *testing.T) {
	dir := t.TempDir()
	for _, k := range []string{"", " \n", "a b", "a\nb", "a\x00b", "a\x7f", "ключ", strings.Repeat("k", maxKeySize+1)} {
		if _, err := New(Config{BaseURL: "https://x", Key: StaticKey(k)}); !errors.Is(err, ErrKey) {
			t.Errorf("%q taken: %v", k, err)
		}
		path := filepath.Join(dir, "key")
		writeKey(t, path, k)
		_, err := FileKey(path)
		if !errors.Is(err, ErrKey) {
			t.Errorf("%q taken from a file: %v", k, err)
		} else if k := strings.TrimSpace(k); k != "" && strings.Contains(err.Error(), k) {
			t.Error("the error quotes the key")
		}
	}
	if _, err := New(Config{BaseURL: "https://x"}); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	if _, err := FileKey(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestKeyIsRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	writeKey(t, path, "one\n")
	source, err := FileKey(path)
	must(t, err)
	var used []string
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Key = source
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			used = append(used, r.Header.Get("Authorization"))
			return answering(401, nil, "{}")(r)
		})
	})
	for _, step := range []struct {
		text    string
		changed bool
		err     bool
	}{{"one", false, false}, {"\ufeff two \r\n", true, false}, {"", false, true}, {"a b", false, true}, {"two", false, false}} {
		writeKey(t, path, step.text)
		changed, err := source.Refresh()
		if changed != step.changed || (err != nil) != step.err {
			t.Errorf("%q: changed %v, %v", step.text, changed, err)
		}
		_ = c.Ping(t.Context())
	}
	if got := strings.Join(used, ","); got != "Bearer one,Bearer two,Bearer two,Bearer two,Bearer two" {
		t.Error(got)
	}
}

type brokenKey struct{ n int }

func (b *brokenKey) Key() (Key, error) {
	if b.n++; b.n > 1 {
		return "", errors.New("no such credential")
	}
	return "k", nil
}
func (*brokenKey) Refresh() (bool, error) { return false, nil }

func TestKeyThatCannotBeRead(t *testing.T) {
	c := newClient(t, "https://service.invalid", func(c *Config) { c.Key = &brokenKey{} })
	_, err := c.Submit(t.Context(), submission())
	if e := asError(t, err); e.Class != Account || e.Sent || e.OutcomeUnknown || e.StatusCode != 0 {
		t.Errorf("%+v", e)
	}
}

// TestShortKey: a short key, as used with a stand-in, may occur in an id.
func TestShortKey(t *testing.T) {
	c := newClient(t, "https://service.invalid", func(c *Config) {
		c.Key, c.Transport = StaticKey("test"), answering(202, nil, `{"id":"job-test-1"}`)
	})
	if id, err := c.Submit(t.Context(), submission()); err != nil || id != "job-test-1" {
		t.Errorf("%q %v", id, err)
	}
}

// TestKeyFileThatIsNoFile: reading a pipe or a device in place of the key file
// fails at once, and the old key stays.
func TestKeyFileThatIsNoFile(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"fifo":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"device": func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		path := filepath.Join(t.TempDir(), "key")
		writeKey(t, path, "one")
		source, err := FileKey(path)
		must(t, err)
		must(t, errors.Join(os.Remove(path), put(path)))
		_, err = source.Refresh()
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "regular") {
			t.Errorf("%s: %v", what, err)
		}
		if key, err := source.Key(); err != nil || key.Reveal() != "one" {
			t.Errorf("%s: the old key is gone: %v", what, err)
		}
	}
}
