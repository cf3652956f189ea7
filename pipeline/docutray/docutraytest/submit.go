package docutraytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// refusedError is an answer that refuses a submission.
type refusedError struct {
	status  int
	message string
	details []string
}

func (e *refusedError) Error() string { return e.message }

func invalid(format string, args ...any) error {
	return &refusedError{status: http.StatusBadRequest, message: "Validation error",
		details: []string{fmt.Sprintf(format, args...)}}
}

var errTooLarge = &refusedError{status: http.StatusRequestEntityTooLarge,
	message: "File exceeds maximum allowed size (100MB)"}

// serveSubmit takes a document and makes a job of it.
func (s *Server) serveSubmit(w http.ResponseWriter, r *http.Request, f Faults, d *rand.Rand) {
	arrived := time.Now()
	dropping, failing := chance(d, f.DropBefore), chance(d, f.FailSubmit)
	point := d.IntN(3) // of dropping, or failing: the start, the middle, the end
	if (dropping || failing) && point == 1 {
		_, _ = io.CopyN(io.Discard, r.Body, max(1, r.ContentLength/2))
	}
	if dropping && point < 2 {
		drop()
	}
	if failing && point < 2 {
		s.failAtRandom(w, d)
		return
	}
	if !s.accountAllows(w, f) {
		return
	}
	u, err := s.receive(r)
	if dropping {
		drop()
	}
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		s.fail(w, d, refused.status, refused.message, refused.details...)
		return
	}
	if err != nil { // the body ended early: nobody is there to be told
		s.fail(w, d, http.StatusBadRequest, "Validation error", "the body is incomplete")
		return
	}
	if failing {
		s.failAtRandom(w, d)
		return
	}
	if bad := s.inaccessible(u.Types, f); len(bad) > 0 {
		s.fail(w, d, http.StatusForbidden, "Document types not accessible: "+strings.Join(bad, ", "))
		return
	}
	u.Arrived = arrived
	s.makeJob(u, f, d)
	if chance(d, f.DropAfter) {
		drop()
	}
	answer := map[string]any{"id": u.JobID, "status": "ENQUEUED", "documentTypeCode": u.Types[0]}
	if s.opts.AltForms && d.IntN(2) == 0 {
		answer = map[string]any{"identification_id": u.JobID, "status": "ENQUEUED",
			"status_url": statusPath + u.JobID}
	}
	s.succeed(w, f, d, http.StatusAccepted, answer)
}

// accountAllows answers 402 where the quota is used up.
func (s *Server) accountAllows(w http.ResponseWriter, f Faults) bool {
	if f.Account != AccountQuotaUsed {
		return true
	}
	body := map[string]any{"message": "Quota exceeded", "quota": f.Quota, "used": f.Used}
	if !f.ResetDate.IsZero() {
		body["resetDate"] = f.ResetDate.UTC().Format(timestampLayout)
	}
	writeJSON(w, http.StatusPaymentRequired, body)
	return false
}

// inaccessible returns the codes that are refused with 403.
func (s *Server) inaccessible(codes []string, f Faults) []string {
	if f.Account == AccountNoTypes {
		return codes
	}
	var bad []string
	for _, c := range codes {
		listed := slices.ContainsFunc(s.opts.Types, func(t DocumentType) bool { return t.CodeType == c })
		if !listed || slices.Contains(s.opts.Forbidden, c) {
			bad = append(bad, c)
		}
	}
	return bad
}

// receive reads a submission to its end and checks it.
func (s *Server) receive(r *http.Request) (*Upload, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, &refusedError{status: http.StatusUnsupportedMediaType,
			message: "Unsupported Content-Type. Use multipart/form-data (the stand-in takes nothing else)"}
	}
	if r.ContentLength > MaxFileSize+1<<20 {
		return nil, errTooLarge // before it asks for the body
	}
	u := &Upload{}
	fields := map[string]string{}
	doc := spools.Get().(*spool)
	defer doc.release()
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF { // only the closing boundary; a cut body's error wraps io.EOF
			break
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() == "image" {
			err = receiveFile(u, part, doc)
		} else {
			err = receiveField(fields, part)
		}
		if err != nil {
			return nil, err
		}
	}
	// The closing boundary was there; what the length promised must be, too.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	if u.SHA256 != "" {
		s.arrivedWhole(u.SHA256)
	}
	return u, s.check(u, fields, doc.bytes())
}

func receiveFile(u *Upload, part *multipart.Part, doc *spool) error {
	if u.SHA256 != "" {
		return invalid("image: more than one file")
	}
	u.Filename, u.ContentType = part.FileName(), part.Header.Get("Content-Type")
	hash := sha256.New()
	size, err := io.CopyBuffer(io.MultiWriter(hash, doc), io.LimitReader(part, MaxFileSize+1), doc.copying[:])
	if err != nil {
		return err
	}
	if size > MaxFileSize {
		return errTooLarge
	}
	u.Size, u.SHA256 = size, hex.EncodeToString(hash.Sum(nil))
	return nil
}

func receiveField(fields map[string]string, part *multipart.Part) error {
	const limit = 1 << 20
	value, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return err
	}
	if len(value) > limit || len(fields) >= 32 {
		return invalid("%s: too large", part.FormName())
	}
	fields[part.FormName()] = string(value)
	return nil
}

// check validates the fields, and decides what the document is.
func (s *Server) check(u *Upload, fields map[string]string, doc []byte) error {
	if u.SHA256 == "" || u.Size == 0 {
		return invalid("image: required")
	}
	if u.Filename == "" {
		return invalid("image: the filename is required")
	}
	format := formatOf(doc)
	if format == "" {
		return invalid("image: must be JPEG, PNG, GIF, BMP, WebP or PDF")
	}
	if canonicalType(u.ContentType) != format {
		return invalid("image: declared as %q, but it is %s", u.ContentType, format)
	}
	if t, ok := fields["image_content_type"]; ok && canonicalType(t) != format {
		return invalid("image_content_type: declared as %q, but it is %s", t, format)
	}
	options := []byte(fields["document_type_code_options"])
	if json.Unmarshal(options, &u.Types) != nil || len(u.Types) == 0 || slices.Contains(u.Types, "") {
		return invalid("document_type_code_options: must be a non-empty JSON array of strings")
	}
	if m, ok := fields["document_metadata"]; ok {
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(m), &object) != nil || object == nil {
			return invalid("document_metadata: must be a JSON object")
		}
		u.Metadata = json.RawMessage(m)
	}
	if s.opts.Identify != nil {
		if result, ok := s.opts.Identify(*u); ok {
			u.Result = result
			return nil
		}
	}
	u.Result = s.identify(doc, format, u.Types)
	return nil
}

// spool keeps what tells a document's type: its beginning, and its end, where
// some formats have their text.
type spool struct {
	head    bytes.Buffer
	tail    []byte
	copying [32 << 10]byte // what it passes through, kept for the next upload
}

const (
	keepHead = 4 << 20
	keepTail = 256 << 10
)

var spools = sync.Pool{New: func() any { return new(spool) }}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	n := min(len(p), keepHead-s.head.Len())
	s.head.Write(p[:n])
	s.tail = append(s.tail, p[n:]...)
	if len(s.tail) > 2*keepTail {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-keepTail:]...)
	}
	return len(p), nil
}

// bytes returns the document, or its beginning and its end if it is large.
func (s *spool) bytes() []byte {
	if len(s.tail) > 0 {
		s.head.Write(s.tail[max(0, len(s.tail)-keepTail):])
		s.tail = s.tail[:0]
	}
	return s.head.Bytes()
}

// release gives the buffers back, unless they grew for a rare large document.
func (s *spool) release() {
	if s.head.Cap() > 1<<20 {
		return
	}
	s.head.Reset()
	s.tail = s.tail[:0]
	spools.Put(s)
}
