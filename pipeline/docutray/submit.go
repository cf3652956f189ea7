package docutray

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
)

// MaxFileSize is the size of the largest document that is sent, in bytes.
const MaxFileSize = 100 << 20

// maybeTooLarge is the size in bytes from which a 413 may be the service's word about
// the document: its "100MB" may mean a little less than ours. Below that, a proxy on
// the way takes less.
const maybeTooLarge = 100_000_000

// oneWrite is the length of a body, in bytes, up to which it is read into memory
// first, so that it goes out in one write with the header. It is the size of the
// transport's write buffer.
const oneWrite = 64 << 10

// askAbove is the length of a body, in bytes, above which the request asks with
// "Expect: 100-continue" first. A refusal then saves the upload.
const askAbove = 1 << 20

// Submission is a document to be identified.
type Submission struct {
	// Filename is the document's name. It is cleaned for the header.
	Filename string
	// ContentType is the actual media type, such as "application/pdf".
	ContentType string
	// Size is the exact length of Content in bytes.
	Size int64
	// Content is read once, and not after Submit has returned. If it returns an
	// error, even in place of io.EOF, the service gets no complete body.
	Content io.Reader
	// Types are the codes to choose from, at least one.
	Types []string
	// Metadata is a JSON object for the service to keep, or empty.
	Metadata json.RawMessage
}

// Submit starts the identification of a document. It returns the id of the job,
// which cannot be looked up later: store it before anything else. The error is
// an [*Error].
//
// Submit makes a second request if the first failed on a dead kept connection,
// or because "Expect" is not supported, before any content was read.
func (c *Client) Submit(ctx context.Context, s Submission) (jobID string, err error) {
	f, err := newForm(s)
	if err != nil {
		class := Local
		if errors.Is(err, ErrTooLarge) {
			class = Document
		}
		return "", &Error{Op: OpSubmit, Class: class, Err: err}
	}
	ask := f.length > askAbove
	id, again, e := c.post(ctx, s, f, ask)
	if again {
		c.cfg.Logger.Debug("submitting again on another connection", "err", e)
		id, _, e = c.post(ctx, s, f, ask && e.StatusCode != http.StatusExpectationFailed)
	}
	if e != nil {
		return "", e
	}
	return id, nil
}

// post makes one POST. again reports whether a failed one is worth repeating
// at once.
func (c *Client) post(ctx context.Context, s Submission, f form, ask bool) (id string, again bool, e *Error) {
	k := c.newCall(OpSubmit)
	ctx, stop := k.start(ctx, submitTimeout)
	defer stop()
	req, e := k.request(ctx, http.MethodPost, c.address(pathSubmit, pathSubmit))
	if e != nil {
		return "", false, e
	}
	up := newUpload(k, s, f)
	req.Body, req.ContentLength = up, f.length
	if f.length <= oneWrite && c.own != nil {
		if e = up.inMemory(req, f.length); e != nil {
			return "", false, e
		}
	}
	req.Header["Content-Type"] = []string{f.contentType}
	if ask {
		req.Header["Expect"] = []string{"100-continue"}
	}
	ans, e := k.do(req)
	up.stop() // nobody reads the content from here on
	if e == nil {
		id, e = k.accepted(ans)
	}
	if e == nil && up.left > 0 {
		e = k.unusable(ans, "accepted before the whole document was sent", nil)
		e.OutcomeUnknown = true
	}
	if e == nil {
		return id, false, nil
	}
	up.outcome(e)
	if e.StatusCode == http.StatusRequestEntityTooLarge && s.Size >= maybeTooLarge && !e.page {
		e.Class = Document
	}
	dead := e.StatusCode == 0 && e.Class == Service && k.reused.Load()
	return "", !e.Sent && (dead || e.StatusCode == http.StatusExpectationFailed), e
}

// outcome completes the error of a submission with what happened to its body.
func (u *upload) outcome(e *Error) {
	e.Sent = u.started || u.whole && !u.call.connecting.Load()
	answered := e.StatusCode != 0
	switch {
	case !answered:
		e.OutcomeUnknown = e.Sent
	case e.StatusCode >= 300 && u.left > 0:
		e.OutcomeUnknown = false // nobody had the whole document
	}
	if u.err != nil {
		// The service has no complete body, unless it claims to have accepted one.
		e.Class = Local
		e.OutcomeUnknown = answered && e.OutcomeUnknown
		e.Err = fmt.Errorf("%w: %w", ErrContent, u.err)
	}
}

// form is a request's body, except for the document.
type form struct {
	head, tail  []byte // before and after the document
	contentType string
	length      int64 // of the whole body, in bytes
}

// newForm checks a submission and lays out its form. The document comes last,
// so that a service that reads in order knows the options first.
func newForm(s Submission) (form, error) {
	if err := s.check(); err != nil {
		return form{}, err
	}
	options, err := json.Marshal(s.Types)
	if err != nil {
		return form{}, err
	}
	var b bytes.Buffer // writing to it never fails
	w := multipart.NewWriter(&b)
	_ = w.WriteField("document_type_code_options", string(options))
	if len(s.Metadata) > 0 {
		_ = w.WriteField("document_metadata", string(s.Metadata))
	}
	_ = w.WriteField("image_content_type", s.ContentType)
	_, _ = w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("image", cleanFilename(s.Filename))},
		"Content-Type":        {s.ContentType},
	})
	head := b.Len()
	_ = w.Close()
	return form{head: b.Bytes()[:head], tail: b.Bytes()[head:], contentType: w.FormDataContentType(),
		length: int64(b.Len()) + s.Size}, nil
}

func (s Submission) check() error {
	switch {
	case s.Content == nil || s.Size < 0:
		return fmt.Errorf("%w: no content", ErrSubmission)
	case s.Size > MaxFileSize:
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, s.Size)
	case len(s.Types) == 0:
		return fmt.Errorf("%w: no types to choose from", ErrSubmission)
	case !isMediaType(s.ContentType):
		return fmt.Errorf("%w: content type %q", ErrSubmission, s.ContentType)
	case len(s.Metadata) > 0 && !(json.Valid(s.Metadata) && isObject(s.Metadata)):
		return fmt.Errorf("%w: metadata is not a JSON object", ErrSubmission)
	}
	return nil
}

// isMediaType accepts type/subtype without parameters.
func isMediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	token := func(t string) bool {
		return t != "" && strings.Trim(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_") == ""
	}
	return ok && len(s) <= 100 && token(kind) && token(sub)
}
