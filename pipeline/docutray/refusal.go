package docutray

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// refused returns what an answer says went wrong, or nil for a 2xx.
func (k *call) refused(ans *answer) *Error {
	if _, ok, _ := classify(k.op, ans.status, false); ok {
		return nil // whatever the body looks like
	}
	html := isHTML(ans)
	class, _, unknown := classify(k.op, ans.status, html)
	e := &Error{Op: k.op, Class: class, StatusCode: ans.status, Unknown: unknown, RequestID: k.requestID(ans)}
	var body refusal
	isJSON := json.Unmarshal(ans.body, &body) == nil
	switch {
	case isJSON:
		e.Message = k.show(body.message(), maxMessage)
		for _, d := range body.details() { // at most maxDetails
			if d = k.show(d, maxDetail); d != "" {
				e.Details = append(e.Details, d)
			}
		}
	case !html:
		e.Message = k.show(string(ans.body[:min(len(ans.body), 4*maxMessage)]), maxMessage)
	}
	switch class {
	case Rate:
		e.RetryAfter = retryAfter(ans.header, body, ans.at)
	case Service:
		e.RetryAfter = retryAfterHeader(ans.header.Get("Retry-After"), clock(ans.header, ans.at))
	case Account:
		if ans.status == http.StatusPaymentRequired {
			e.ResetAt = body.resetAt()
		}
	}
	if ans.status >= 300 && ans.status <= 399 && e.Message == "" {
		e.Message = "the service answers with a redirect, which is never followed; is the base URL right?"
	}
	return e
}

// isHTML says whether the body is a web page, which the service never sends.
func isHTML(ans *answer) bool {
	kind, _, _ := mime.ParseMediaType(ans.header.Get("Content-Type"))
	return kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(ans.body[:min(len(ans.body), 512)]), []byte("<"))
}

// refusal is the body of a refused request in all its forms; an "error" that
// is an object has the same fields again.
type refusal struct {
	Message    text            `json:"message"`
	Detail     loose           `json:"detail"`
	Errors     loose           `json:"errors"`
	Error      json.RawMessage `json:"error"`
	Code       text            `json:"code"`
	RetryAfter json.RawMessage `json:"retryAfter"`
	ResetTime  json.RawMessage `json:"resetTime"`
	ResetDate  json.RawMessage `json:"resetDate"`
}

// inner returns the object under "error", or an empty one.
func (r refusal) inner() refusal {
	var in refusal
	if json.Unmarshal(r.Error, &in) != nil {
		return refusal{}
	}
	in.Error = nil
	return in
}

// message returns the first text that says what is wrong.
func (r refusal) message() string {
	var plain text
	_ = json.Unmarshal(r.Error, &plain)
	in := r.inner()
	for _, s := range []string{string(r.Message), string(in.Message), string(plain),
		strings.Join(r.Detail, "; "), strings.Join(in.Detail, "; "), string(in.Code), string(r.Code)} {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

func (r refusal) details() []string {
	if len(r.Errors) > 0 {
		return r.Errors
	}
	return r.inner().Errors
}

// text is a string that is also read from a number, and from anything else as
// empty: one odd field must not make an answer unreadable.
type text string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *text) UnmarshalJSON(b []byte) error {
	s, ok := plainText(b)
	if !ok {
		s = otherText(b)
	}
	*t = text(s)
	return nil
}

// otherText reads a string with escapes, or a number.
func otherText(b []byte) string {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(b, &s) == nil:
		return s
	case json.Unmarshal(b, &n) == nil:
		return n.String()
	}
	return ""
}

// plainText returns the text of a JSON string that stands there as it is, as
// nearly all do; to decode it again would cost most of the time of an answer.
func plainText(b []byte) (string, bool) {
	n := len(b) - 1
	if n < 1 || b[0] != '"' || b[n] != '"' || bytes.IndexByte(b, '\\') >= 0 || !utf8.Valid(b) {
		return "", false
	}
	return string(b[1:n]), true
}

// loose is a list of texts read from a list or a single value, of strings or
// of objects, which are kept as their "message" or as JSON.
type loose []string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (l *loose) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	*l = nil
	for _, raw := range list {
		if len(*l) == maxDetails {
			break
		}
		var s text
		var o struct {
			Message text `json:"message"`
		}
		if _ = json.Unmarshal(raw, &s); s == "" && json.Unmarshal(raw, &o) == nil {
			s = o.Message
		}
		if s == "" && string(raw) != "null" && string(raw) != `""` {
			s = text(raw)
		}
		if s != "" {
			*l = append(*l, string(s))
		}
	}
	return nil
}
