package main

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"docusort/pipeline"
	"docusort/pipeline/filing"
	"docusort/store"
)

// This file has all that the tests of this package know of the names in packages
// pipeline, filing and store, and of the lines of the log.

type step = pipeline.Step

// The steps at which a daemon, docusort retry and docusort refile can be ended.
var (
	daemonSteps = pipeline.Steps
	retrySteps  = pipeline.PutBackSteps
	refileSteps = pipeline.RefileSteps
)

// The steps that tests name.
const (
	stepSubmitting = pipeline.SubmittingStored // stored, and not sent yet
	stepPosted     = pipeline.Posted           // sent, and the job id not stored yet
	stepFinished   = pipeline.MovedStored
	stepRefiled    = pipeline.Refiled // moved by a command
)

// isMove reports whether a step depends on the way of moving.
func isMove(s step) bool {
	return s == pipeline.FileMoved || s == pipeline.SidecarWritten || s == pipeline.FoldersSynced
}

// Lines of the log.
const (
	logStarted       = "msg=started "
	logStopping      = `msg="stopping; `
	logHold          = `msg="on hold`
	logAdmitted      = `msg="document admitted"`
	logNotAdmitted   = `msg="document cannot be identified"`
	logFiled         = "document filed"
	logLeftAlone     = "left alone"
	logWatchRefused  = "inotify refuses a watch"
	logUnsyncedInbox = "folder of the inbox cannot be synced"
	syncFolder       = "fsync folder" // an operation of package filing
)

func isTemporary(name string) bool { return filing.IsTemporary(name) }

// folderOf returns the folder of a type beneath sorted.
func folderOf(code string) string { return filing.FolderName(code) }

// row is a document in the database.
type row struct {
	upload        // the newest
	resubmissions int
	submitting    bool
	jobID         string // of a job of its own whose answer is not lost; else empty
}

// upload is one POST of a document.
type upload struct {
	hash   string
	doc    int64
	number int
}

// rows reads the database.
func (w *world) rows() (all []row) {
	w.t.Helper()
	reader, err := store.OpenReader(context.Background(), w.database(""))
	noErr(w.t, err)
	defer reader.Close()
	noErr(w.t, reader.Documents(context.Background(), store.Filter{}, func(d *store.Document) error {
		r := row{upload: upload{hex.EncodeToString(d.SHA256), d.ID, d.Submissions}, resubmissions: d.Resubmissions}
		switch d.State {
		case store.Submitting:
			r.submitting = true
		case store.Pending, store.Identified, store.Filed, store.Review:
			if !d.Reused {
				r.jobID = d.JobID
			}
		}
		all = append(all, r)
		return nil
	}))
	return all
}

// makeDatabase makes a database in which a document was filed under each type.
func makeDatabase(t *testing.T, path string, types ...string) {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, store.Config{Path: path})
	noErr(t, err)
	for i, code := range types {
		got, err := s.Admit(ctx, store.Admission{
			Inbox: store.Folder{Path: "/in"}, Source: code, SHA256: []byte(strings.Repeat(string(rune('a'+i)), 32)),
			SubmitRequest: store.SubmitRequest{Options: []string{"invoice"}}, Identity: store.Identity{Inode: uint64(i)},
		})
		noErr(t, err)
		_, err = s.Submitting(ctx, got.ID, store.SubmitRequest{Options: []string{"invoice"}})
		noErr(t, err)
		err = s.Accepted(ctx, got.ID, "job"+code)
		noErr(t, err)
		err = s.Identified(ctx, got.ID, store.Answer{Type: code, Confidence: 1, Outcome: store.Filed})
		noErr(t, err)
		_, err = s.Target(ctx, []store.Targeted{{ID: got.ID, Sorted: store.Folder{Path: "/sorted"}, Target: code}})
		noErr(t, err)
		_, err = s.Moved(ctx, []int64{got.ID})
		noErr(t, err)
	}
	noErr(t, s.Close())
}

// openShared opens the database as docusort retry does.
func (w *world) openShared() *store.Store {
	w.t.Helper()
	s, err := store.OpenShared(w.t.Context(), store.Config{Path: w.database("")})
	noErr(w.t, err)
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}
