package docutray

import (
	"bytes"
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// refusal returns the error that an answer reports, or nil for a 2xx.
func (k *call) refusal(ans *answer) *Error {
	page := isPage(ans)
	class, outcomeUnknown := classify(k.op, ans.status, page)
	if class == 0 {
		return nil
	}
	body := parseErrorBody(ans.body)
	e := &Error{Op: k.op, Class: class, StatusCode: ans.status, Message: k.show(body.message(), maxMessage),
		OutcomeUnknown: outcomeUnknown, RequestID: k.requestID(ans), page: page}
	var details []string
	for _, d := range body.details() {
		if d = k.show(d, maxDetail); d != "" && len(details) < maxDetails {
			details = append(details, d)
		}
	}
	if len(details) > 0 {
		e.Message = strings.TrimSpace(e.Message + " (" + strings.Join(details, "; ") + ")")
	}
	switch raw := ans.body[:min(len(ans.body), 4*maxMessage)]; {
	case page:
		e.Message = notDocuTrays
	case e.Message == "" && len(raw) > len("null"):
		e.Message = k.show(string(raw), maxMessage) // whatever it says there
	}
	if class == Rate && (body.ResetDate != "" || body.Quota != "") {
		e.Class = Account // it is not about the rate
	}
	switch e.Class {
	case Rate:
		e.RetryAfter, e.PerMinute = retryAfter(ans.header, body, ans.received), perMinute(ans.header, body)
		if limit := ans.header.Get("X-RateLimit-Limit"); e.Message == "" && limit != "" {
			e.Message = k.show("the limit is "+limit+" a "+ans.header.Get("X-RateLimit-Limit-Type"), maxMessage)
		}
	case Service:
		e.RetryAfter = parseWait(ans.header.Get("Retry-After"), serviceClock(ans.header, ans.received))
	case Account:
		if ans.status == http.StatusPaymentRequired || ans.status == http.StatusTooManyRequests {
			e.ResetAt = parseTime(body.ResetDate)
			if d := retryAfter(ans.header, body, ans.received); e.ResetAt.IsZero() && d > 0 {
				e.ResetAt = ans.received.Add(d).UTC()
			}
		}
	}
	return e
}

// notDocuTrays is the message of an answer that is a web page.
const notDocuTrays = "a page that is not DocuTray's"

// isPage reports whether the body is a web page, which only a proxy or another
// site sends.
func isPage(ans *answer) bool {
	mediaType, _, _ := mime.ParseMediaType(ans.header.Get("Content-Type"))
	return bytes.HasPrefix(bytes.TrimSpace(ans.body[:min(len(ans.body), 512)]), []byte("<")) ||
		mediaType == "text/html" && !isObject(ans.body)
}

// errorBody is the body of an error answer, in all documented forms and others
// that are usual.
type errorBody struct {
	Message    texts `json:"message"`
	Error      texts `json:"-"` // where it is not an object
	Detail     texts `json:"detail"`
	Title      texts `json:"title"`
	Code       text  `json:"code"`
	Errors     texts `json:"errors"`
	Details    texts `json:"details"`
	Limit      text  `json:"limit"`
	LimitType  text  `json:"limitType"`
	RetryAfter text  `json:"retryAfter"`
	ResetTime  text  `json:"resetTime"`
	ResetDate  text  `json:"resetDate"`
	Quota      text  `json:"quota"`
}

// parseErrorBody reads JSON. The fields of an object under "error" count where
// they are missing outside it.
func parseErrorBody(raw []byte) (b errorBody) {
	var outer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(raw, &outer) != nil {
		_ = json.Unmarshal(raw, &b.Message) // a list, or a text
		return b
	}
	if isObject(outer.Error) {
		_ = json.Unmarshal(outer.Error, &b)
	} else {
		b.Error = listOf(outer.Error)
	}
	_ = json.Unmarshal(raw, &b)
	return b
}

// message returns the first text that says what is wrong.
func (b errorBody) message() string {
	return cmp.Or(b.Message.join(), b.Error.join(), b.Detail.join(), b.Title.join(), string(b.Code))
}

// details returns the texts that say more.
func (b errorBody) details() texts { return slices.Concat(b.Errors, b.Details) }

// text is a JSON string or number. Anything else reads as empty, so that one
// odd field does not spoil an answer.
type text string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (t *text) UnmarshalJSON(b []byte) error {
	if string(b) != "null" {
		*t = text(scalar(b))
	}
	return nil
}

// scalar returns the text of a JSON string or number, else "".
func scalar(raw json.RawMessage) (s string) {
	switch raw = bytes.TrimSpace(raw); {
	case len(raw) == 0:
	case raw[0] == '"' && utf8.Valid(raw) && !bytes.ContainsRune(raw, '\\'):
		s = string(raw[1 : len(raw)-1])
	case raw[0] == '"':
		_ = json.Unmarshal(raw, &s)
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		s = string(raw)
	}
	return s
}

// isObject reports whether valid JSON is an object.
func isObject(b []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) }

// texts is a list of texts, also read from a single value. An object counts
// as its "message" or the like, or as JSON.
type texts []string

// UnmarshalJSON implements json.Unmarshaler and never fails.
func (l *texts) UnmarshalJSON(b []byte) error {
	if string(b) != "null" {
		*l = listOf(b)
	}
	return nil
}

// listOf returns the texts of a JSON value.
func listOf(b json.RawMessage) (l texts) {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	for _, raw := range list[:min(len(list), maxDetails)] {
		var o struct{ Message, Msg, Reason text }
		_ = json.Unmarshal(raw, &o)
		s := cmp.Or(scalar(raw), string(cmp.Or(o.Message, o.Msg, o.Reason)))
		if s == "" && isObject(raw) && len(raw) > len("{}") {
			s = string(raw)
		}
		if s != "" {
			l = append(l, s)
		}
	}
	return l
}

func (l texts) join() string { return strings.Join(l, "; ") }
