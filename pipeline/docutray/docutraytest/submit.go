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
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxFileSize is the size of the largest file that is accepted, in bytes.
	maxFileSize = 100 << 20
	// headSize is how much of a file is searched for words, in bytes.
	headSize = 256 << 10
)

// refusedError is an answer that refuses a submission.
type refusedError struct {
	status  int
	message string
	details []string
}

func (e *refusedError) Error() string { return e.message }

func invalid(format string, args ...any) *refusedError {
	return &refusedError{http.StatusBadRequest, "Validation error", []string{fmt.Sprintf(format, args...)}}
}

var errTooLarge = &refusedError{http.StatusRequestEntityTooLarge, "File exceeds maximum allowed size (100MB)", nil}

// serveSubmit makes a job of a document.
func (s *Server) serveSubmit(w http.ResponseWriter, r *http.Request, f Faults, d *rand.Rand) {
	dropping, failing := chance(d, f.DropBefore), chance(d, f.FailSubmit)
	trouble := func() {
		if dropping {
			drop()
		}
		s.failAtRandom(w, d)
	}
	if when := d.IntN(3); (dropping || failing) && when < 2 { // else after the whole body
		if when == 1 {
			_, _ = io.CopyN(io.Discard, r.Body, max(1, r.ContentLength/2))
		}
		trouble()
		return
	}
	if f.Account == AccountQuotaUsed || f.Account == AccountQuota429 {
		quotaUsed(w, f, d)
		return
	}
	u, err := s.receive(r)
	if f.SubmitStatus != 0 {
		s.trouble(w, f, d, f.SubmitStatus)
		return
	}
	if dropping || failing && err == nil {
		trouble()
		return
	}
	if err != nil {
		refused := invalid("the body is incomplete")
		_ = errors.As(err, &refused)
		s.fail(w, d, refused.status, refused.message, refused.details...)
		return
	}
	j := s.newJob(u, f, d)
	s.record.add(j)
	if chance(d, f.DropAfter) {
		drop()
	}
	s.accept(w, r, f, d, j)
}

// accept answers for the job of a submission: at once, or when it has ended.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, f Faults, d *rand.Rand, j *job) {
	id := j.upload.JobID
	if r.URL.Path == identifyPath {
		wait(r, j.upload.Took)
		body, _ := s.record.poll(id, time.Now())
		s.succeed(w, f, d, http.StatusOK, body)
		return
	}
	answer := object{"id": id, "status": "ENQUEUED", "documentTypeCode": j.upload.Types[0]}
	if s.opts.AltForms && d.IntN(2) == 0 {
		answer = object{"id": id, "identification_id": id, "status": "ENQUEUED", "status_url": statusPath + id}
	}
	if chance(d, f.NoID) {
		answer = object{"status": "ENQUEUED"}
	}
	s.succeed(w, f, d, http.StatusAccepted, answer)
}

// quotaUsed answers 402, or 429.
func quotaUsed(w http.ResponseWriter, f Faults, d *rand.Rand) {
	body := object{"error": "Quota exceeded", "quota": 100, "limit": 100, "used": 100}
	if !f.ResetDate.IsZero() {
		body["resetDate"] = f.ResetDate.UTC().Format(timestampLayout)
	}
	status, _ := strconv.Atoi(string(f.Account))
	failAs(w, d, status, body)
}

// checkAccess refuses codes that the account cannot use.
func (s *Server) checkAccess(codes []string) error {
	var bad []string
	for _, c := range codes {
		listed := slices.ContainsFunc(s.opts.Types, func(t DocumentType) bool { return t.CodeType == c })
		if !listed || s.Faults().Account == AccountNoTypes {
			bad = append(bad, c)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	says := "Document types not accessible: "
	if s.opts.AltForms {
		says = "You do not have permission to use the following document types: "
	}
	return &refusedError{http.StatusForbidden, says + strings.Join(bad, ", "), nil}
}

// receive reads a submission to its end and checks it. An error that is not a
// refusedError means that the body ended early.
func (s *Server) receive(r *http.Request) (*Upload, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &refusedError{http.StatusUnsupportedMediaType, "Unsupported Content-Type. Use multipart/form-data", nil}
	}
	if r.ContentLength > maxFileSize+1<<20 {
		return nil, errTooLarge // before the body is read
	}
	var u Upload
	var head prefix
	fields := map[string]string{}
	for {
		part, err := parts.NextPart()
		if err == io.EOF { // the closing boundary; the error of a cut body only wraps io.EOF
			break
		}
		if err == nil && part.FormName() == "image" {
			err = receiveFile(&u, part, &head)
		} else if err == nil {
			var value []byte
			value, err = io.ReadAll(io.LimitReader(part, 1<<20))
			fields[part.FormName()] = string(value)
		}
		if err != nil {
			return nil, err
		}
	}
	// What the length announced must follow the closing boundary.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	if u.SHA256 != "" {
		s.record.bodyComplete(u.SHA256)
	}
	return &u, s.check(&u, fields, head.Bytes())
}

// prefix keeps the first headSize bytes that are written to it.
type prefix struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *prefix) Write(p []byte) (int, error) {
	_, _ = b.Buffer.Write(p[:min(len(p), headSize-b.Len())])
	return len(p), nil
}

func receiveFile(u *Upload, part *multipart.Part, head io.Writer) error {
	if u.SHA256 != "" {
		return invalid("image: more than one file")
	}
	u.Filename, u.ContentType = part.FileName(), part.Header.Get("Content-Type")
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(hash, head), io.LimitReader(part, maxFileSize+1))
	if err != nil {
		return err
	}
	if size > maxFileSize {
		return errTooLarge
	}
	u.Size, u.SHA256 = size, hex.EncodeToString(hash.Sum(nil))
	return nil
}

// check validates the file and the fields, and identifies the document.
func (s *Server) check(u *Upload, fields map[string]string, head []byte) error {
	format := formatOf(head)
	switch {
	case u.Size == 0:
		return invalid("image: required")
	case u.Filename == "":
		return invalid("image: the filename is required")
	case format == "":
		return invalid("image: must be JPEG, PNG, GIF, BMP, WebP or PDF")
	case u.ContentType != format:
		return invalid("image: declared as %q, but it is %s", u.ContentType, format)
	}
	if t, ok := fields["image_content_type"]; ok && t != format {
		return invalid("image_content_type: declared as %q, but it is %s", t, format)
	}
	options := []byte(fields["document_type_code_options"])
	if json.Unmarshal(options, &u.Types) != nil || len(u.Types) == 0 || slices.Contains(u.Types, "") {
		return invalid("document_type_code_options: must be a non-empty JSON array of strings")
	}
	if m, ok := fields["document_metadata"]; ok {
		u.Metadata = json.RawMessage(m)
		var o object
		if json.Unmarshal(u.Metadata, &o) != nil || o == nil {
			return invalid("document_metadata: must be a JSON object")
		}
	}
	if err := s.checkAccess(u.Types); err != nil {
		return err
	}
	if text := s.Faults().Refuse; text != "" && bytes.Contains(head, []byte(text)) {
		return invalid("image: contains %q", text)
	}
	if s.opts.Identify != nil {
		if result, ok := s.opts.Identify(*u); ok {
			u.Result = result
			return nil
		}
	}
	u.Result = identify(head, u.Types)
	return nil
}
