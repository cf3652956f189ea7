package docutray

import (
	"bytes"
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
)

// refusal returns the error that an answer reports, or nil for a 2xx.
func (k *call) refusal(ans *answer) *Error {
	html := isHTML(ans)
	class, outcomeUnknown := classify(k.op, ans.status, html)
	if class == 0 {
		return nil
	}
	e := &Error{Op: k.op, Class: class, StatusCode: ans.status, OutcomeUnknown: outcomeUnknown, RequestID: k.requestID(ans)}
	body, ok := parseErrorBody(ans.body)
	switch {
	case ok:
		e.Message = k.show(string(body.message()), maxMessage)
		for _, d := range body.Errors {
			if d = k.show(d, maxDetail); d != "" {
				e.Details = append(e.Details, d)
			}
		}
	case !html:
		e.Message = k.show(string(ans.body[:min(len(ans.body), 4*maxMessage)]), maxMessage)
	}
	if class == Rate && body.quotaUsed() {
		e.Class = Account
	}
	switch e.Class {
	case Rate:
		e.RetryAfter = retryAfter(ans.header, body, ans.received)
	case Service:
		e.RetryAfter = parseWait(ans.header.Get("Retry-After"), serviceClock(ans.header, ans.received))
	case Account:
		if ans.status == http.StatusPaymentRequired || ans.status == http.StatusTooManyRequests {
			e.ResetAt = parseTime(body.ResetDate)
		}
	}
	if ans.status >= 300 && ans.status <= 399 && e.Message == "" {
		e.Message = "the service redirects, which is never followed; check the base URL"
	}
	return e
}

// isHTML reports whether the body is a web page, which only a proxy sends.
func isHTML(ans *answer) bool {
	kind, _, _ := mime.ParseMediaType(ans.header.Get("Content-Type"))
	return kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(ans.body[:min(len(ans.body), 512)]), []byte("<"))
}

// errorBody is the body of an error answer, in all documented forms.
type errorBody struct {
	Message    text            `json:"message"`
	Detail     texts           `json:"detail"`
	Errors     texts           `json:"errors"`
	Error      json.RawMessage `json:"error"` // text, or an object like this one
	Code       text            `json:"code"`
	RetryAfter text            `json:"retryAfter"`
	ResetTime  text            `json:"resetTime"`
	ResetDate  text            `json:"resetDate"`
	Quota      text            `json:"quota"`
}

// parseErrorBody reads a JSON object. The fields of an object under "error"
// replace those that are missing outside it.
func parseErrorBody(raw []byte) (b errorBody, ok bool) {
	if json.Unmarshal(raw, &b) != nil {
		return errorBody{}, false
	}
	in := b.inner()
	if len(b.Errors) == 0 {
		b.Errors = in.Errors
	}
	b.RetryAfter = cmp.Or(b.RetryAfter, in.RetryAfter)
	b.ResetTime = cmp.Or(b.ResetTime, in.ResetTime)
	b.ResetDate = cmp.Or(b.ResetDate, in.ResetDate)
	b.Quota = cmp.Or(b.Quota, in.Quota)
	return b, true
}

// inner returns the object under "error", or an empty one.
func (b errorBody) inner() (in errorBody) {
	if json.Unmarshal(b.Error, &in) != nil {
		return errorBody{}
	}
	return in
}

// message returns the first text that says what is wrong.
func (b errorBody) message() text {
	in := b.inner()
	return cmp.Or(b.Message, in.Message, text(scalar(b.Error)), b.Detail.join(), in.Detail.join(), in.Code, b.Code)
}

// quotaUsed reports whether a 429 is about the quota rather than the rate.
func (b errorBody) quotaUsed() bool { return b.ResetDate != "" || b.Quota != "" }

// text is a JSON string or number. Anything else reads as empty, so that one
// odd field does not spoil an answer.
type text string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(scalar(b))
	return nil
}

// scalar returns the text of a JSON string or number, else "".
func scalar(raw json.RawMessage) string {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(raw, &s) == nil:
		return s
	case json.Unmarshal(raw, &n) == nil:
		return n.String()
	}
	return ""
}

// isObject reports whether valid JSON is an object.
func isObject(b []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) }

// texts is a list of texts, also read from a single value. An object counts
// as its "message", or as JSON.
type texts []string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (l *texts) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	*l = nil
	for _, raw := range list[:min(len(list), maxDetails)] {
		var o struct {
			Message text `json:"message"`
		}
		_ = json.Unmarshal(raw, &o)
		s := cmp.Or(scalar(raw), string(o.Message))
		if s == "" && isObject(raw) {
			s = string(raw)
		}
		if s != "" {
			*l = append(*l, s)
		}
	}
	return nil
}

func (l texts) join() text { return text(strings.Join(l, "; ")) }
