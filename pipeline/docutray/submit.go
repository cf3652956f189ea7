package docutray

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// MaxFileSize is the size of the largest document that is sent, in bytes. The
// service says "100MB" without saying which; of the two readings this is the
// larger, so that nothing it would take is refused here. What is in between
// comes back as 413, which is the document's failure as well.
const MaxFileSize = 100 << 20

// Submission is one document to be identified.
type Submission struct {
	// Filename is the document's name; it is cleaned for the header.
	Filename string
	// ContentType is the real one, such as "application/pdf".
	ContentType string
	// Size is the exact length of Content in bytes.
	Size int64
	// Content is read once, in order, and not after Submit has returned. An
	// error of it, also in place of io.EOF, ends the request before the
	// service can have a complete body.
	Content io.Reader
	// Types are the codes to choose from, at least one.
	Types []string
	// Metadata is a JSON object for the service to keep, or empty.
	Metadata json.RawMessage
}

// Submit starts the identification of a document and returns the id of its
// job, which is the only way to it: store it before anything else. The error is
// an [*Error]; its Unknown says whether a job may have been made all the same.
//
// A request of which not one byte of the body was sent, because a kept
// connection turned out to be dead, is made once more.
func (c *Client) Submit(ctx context.Context, s Submission) (jobID string, err error) {
	head, tail, contentType, err := frame(s)
	if err != nil {
		class := Local
		if errors.Is(err, ErrTooLarge) {
			class = Document
		}
		return "", &Error{Op: OpSubmit, Class: class, Err: err}
	}
	nothing := func() {}
	next := func() *upload {
		return &upload{head: head, content: s.Content, left: s.Size, tail: tail, progress: nothing, complete: nothing}
	}
	length := int64(len(head)+len(tail)) + s.Size
	if length <= maxWhole && c.own != nil && !c.expect.wanted(length) {
		whole, err := next().readWhole(int(length))
		if err != nil {
			return "", &Error{Op: OpSubmit, Class: Local, Err: fmt.Errorf("%w: %w", ErrContent, err)}
		}
		next = whole.upload
	}
	for again := true; ; again = false {
		up := next()
		id, retry, err := c.submitOnce(ctx, up, contentType, length)
		if err == nil || !retry || !again {
			if again {
				up.recycle()
			}
			return id, err
		}
		c.log.Debug("nothing was sent, submitting on another connection", "err", err)
	}
}

// submitOnce makes one POST. again says that it failed before any byte of the
// body was asked for, for a reason that another connection would not have.
func (c *Client) submitOnce(ctx context.Context, up *upload, contentType string, length int64) (id string, again bool, err error) {
	call := c.newCall(OpSubmit)
	ctx = call.watch(ctx, c.cfg.SubmitTimeout, c.cfg.IdleTimeout)
	defer call.stop()
	up.progress = func() { call.progress(c.cfg.IdleTimeout) }
	up.complete = func() { call.progress(c.cfg.AnswerTimeout) }

	req, fail := call.request(call.trace(ctx, up), http.MethodPost, c.address(pathSubmit, pathSubmit))
	if fail != nil {
		return "", false, fail
	}
	req.Body, req.ContentLength = up.body(), length
	req.Header["Content-Type"] = []string{contentType}
	expected := up.taken == nil && c.expect.wanted(length)
	if expected {
		req.Header["Expect"] = []string{"100-continue"}
	}
	ans, fail := call.do(req)
	up.stop(ctx, fail == nil) // from here on nobody reads the content
	if fail == nil {
		c.expect.learn(call, ans.status, up.started)
		id, fail = call.accepted(ans)
	}
	if fail == nil && up.done {
		return id, false, nil
	}
	if fail == nil {
		fail = &Error{Op: OpSubmit, Class: Service, StatusCode: ans.status, Unknown: true,
			Message: "accepted before the whole document was sent"}
	}
	again = call.blame(fail, up)
	if expected && fail.StatusCode == http.StatusExpectationFailed {
		again = !fail.Sent // a proxy that knows no Expect: without it, then
	}
	return "", again, fail
}

// blame completes a submission's failure with what became of its body, and
// says whether it failed on a dead connection before the body was touched.
func (k *call) blame(e *Error, up *upload) (stale bool) {
	e.Sent = up.started
	answered := e.StatusCode != 0
	switch {
	case !answered:
		e.Unknown = e.Sent
	case e.StatusCode >= 300 && !up.done:
		e.Unknown = false // whoever refused, nobody had the whole document
	}
	if up.err != nil {
		// The tail was withheld, so the service has no complete body; unless
		// it accepted one, whatever else it says follows from that.
		e.Class = Local
		e.Unknown = answered && e.Unknown
		e.Err = fmt.Errorf("%w: %w", ErrContent, up.err)
		return false
	}
	return !answered && !e.Sent && e.Class == Service && k.reused
}

// accepted reads the job id from the answer to a submission.
func (k *call) accepted(ans *answer) (string, *Error) {
	if e := k.refused(ans); e != nil {
		return "", e
	}
	var body struct {
		ID               text `json:"id"`
		IdentificationID text `json:"identification_id"`
	}
	e := k.decode(ans, &body)
	if e == nil {
		for _, id := range []string{string(body.ID), string(body.IdentificationID)} {
			if CheckJobID(id) == nil && !k.holdsKey(id) {
				return id, nil
			}
		}
		e = k.unusable(ans, "it has no usable job id", nil)
	}
	e.Unknown = true
	return "", e
}

// frame makes what stands before and after the content in the request's body.
func frame(s Submission) (head, tail []byte, contentType string, err error) {
	bad := func(format string, args ...any) ([]byte, []byte, string, error) {
		return nil, nil, "", fmt.Errorf("%w: "+format, append([]any{ErrSubmission}, args...)...)
	}
	switch {
	case s.Content == nil || s.Size < 0:
		return bad("it has no content")
	case s.Size > MaxFileSize:
		return nil, nil, "", fmt.Errorf("%w: %d bytes", ErrTooLarge, s.Size)
	case len(s.Types) == 0:
		return bad("it has no types to choose from")
	case !isMediaType(s.ContentType):
		return bad("content type %q", s.ContentType)
	}
	if len(s.Metadata) > 0 && !(json.Valid(s.Metadata) && isObject(s.Metadata)) {
		return bad("metadata is not a JSON object")
	}
	return multipartFrame(s)
}
