package docutray

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
)

// accepted returns the job id in the answer to a submission.
func (k *call) accepted(ans *answer) (string, *Error) {
	if e := k.refusal(ans); e != nil {
		return "", e
	}
	e := k.decode(ans, new(struct{}))
	ids := []string{polledID(ans.header.Get("Location"))}
	if e == nil {
		ids = append(ans.ids, ids...)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return checkJobID(id) != nil || k.hidesKey(id) })
	for i, id := range ids {
		if slices.Contains(ids[i+1:], id) { // of ids that differ, the one that is named twice
			return id, nil
		}
	}
	if len(ids) > 0 {
		return ids[0], nil
	}
	if e == nil {
		e = k.unusable(ans, "no usable job id", nil)
		if body := parseErrorBody(ans.body); body.message() != "" {
			e.Message += ": " + k.show(body.message(), maxMessage)
		}
	}
	if ans.err == nil { // else the connection broke, which may not happen again
		e.Class = NoID
	}
	e.OutcomeUnknown = true
	return "", e
}

// jobIDs returns the ids that an object names a job by. Versions of the service
// differ in how they spell them.
func jobIDs(object []byte) (ids []string) {
	var o struct {
		ID                text `json:"id"`
		IdentificationID  text `json:"identification_id"`
		IdentificationID2 text `json:"identificationId"`
		JobID             text `json:"job_id"`
		JobID2            text `json:"jobId"`
		StatusURL         text `json:"status_url"`
	}
	if json.Unmarshal(object, &o) != nil {
		return nil
	}
	for _, id := range []text{o.ID, o.IdentificationID, o.IdentificationID2, o.JobID, o.JobID2} {
		ids = append(ids, string(id))
	}
	ids = append(ids, polledID(string(o.StatusURL)))
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// polledID returns the job id in the address of a job's status, or "".
func polledID(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	dir, id := path.Split(path.Clean(u.Path))
	if !strings.HasSuffix(dir, pathStatus) {
		return ""
	}
	return id
}

// unwrapped returns the object that is the answer itself, where it stands in
// another that names no job, and the ids of the job that it names.
func unwrapped(body []byte) (object []byte, ids []string) {
	var outer map[string]json.RawMessage
	if ids = jobIDs(body); len(ids) > 0 || json.Unmarshal(body, &outer) != nil {
		return body, ids
	}
	for _, name := range []string{"data", "result", "job", "identification"} {
		if ids = jobIDs(outer[name]); len(ids) > 0 {
			return outer[name], ids
		}
	}
	return body, nil
}
