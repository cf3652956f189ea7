package pipeline

import (
	"context"
	"fmt"

	"docusort/store"
)

// These store a document as a daemon would leave it, without a pipeline.

func (r *rig) submitting(id int64) {
	r.t.Helper()
	_, err := r.store.Submitting(bg, id, store.SubmitRequest{Options: r.cfg.DocumentTypes})
	must(r.t, err)
}

func (r *rig) accepted(id int64, job string) {
	r.t.Helper()
	must(r.t, r.store.Accepted(bg, id, job))
}

// identified admits a document and stores the answer of a job for it.
func (r *rig) identified(id int64, name, content, kind string) {
	r.t.Helper()
	r.admitted(name, content)
	r.answered(id, kind)
}

// answered stores the answer of a job for a document that waits.
func (r *rig) answered(id int64, kind string) {
	r.t.Helper()
	r.submitting(id)
	r.accepted(id, fmt.Sprint("job", id))
	a := store.Answer{Type: kind, Confidence: 1, Outcome: store.Filed, Share: true}
	must(r.t, r.store.Identified(bg, id, a))
}

// targeted stores the target of a document.
func (r *rig) targeted(id int64, sorted, target string) {
	r.t.Helper()
	_, err := r.store.Target(bg, []store.Targeted{{ID: id, Sorted: store.Folder{Path: sorted}, Target: target}})
	must(r.t, err)
}

// admitted puts a document into the inbox and the database.
func (r *rig) admitted(name, content string) {
	r.t.Helper()
	r.write(name, content, "contract")
	a, err := New(r.cfg).examine(name)
	must(r.t, err)
	_, err = r.store.Admit(context.Background(), a)
	must(r.t, err)
}
