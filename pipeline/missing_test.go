package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestFileThatIsRemoved(t *testing.T) {
	each(t, stages, func(t *testing.T, stage store.State) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.at(stage, func() { must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf"))) })
			r.reaches("scan.pdf", store.Gone, 5*time.Minute)
			sameList(t, "sorted", r.names())
			if stage == store.Waiting {
				same(t, "jobs", r.service.Stats().Jobs, 0)
			}
			r.drop("next.pdf", pdf("next"), "invoice") // there is one place
			r.reaches("next.pdf", store.Filed, time.Minute)
		}, func(c *Config) { c.MaxPending, c.Workers = 1, 1 })
	})
}

// A missing inbox does not mean that its files were removed.
func TestMissingInbox(t *testing.T) {
	each(t, stages, func(t *testing.T, stage store.State) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.at(stage, func() { must(t, os.Rename(r.inbox, r.inbox+".away")) })
			r.p.CheckInbox()
			r.held(store.HoldInbox, 0)
			contains(t, "reason", r.hold().Reason, "the inbox is missing")
			r.pass(20 * time.Minute)
			r.held(store.HoldInbox, 0) // and not that of a disk
			sameList(t, "stuck", r.summary().Stuck)
			if d := r.doc("scan.pdf"); d.State.Finished() {
				t.Errorf("%s: %s", d.State, d.Error)
			}
			same(t, "jobs", r.service.Stats().Jobs > 1, false)
			must(t, os.Rename(r.inbox+".away", r.inbox))
			r.p.CheckInbox()
			r.held("", 0)
			r.reaches("scan.pdf", store.Filed, 5*time.Minute)
		})
	})
}

// Nor does another filesystem in its place, neither before the upload nor before the move.
func TestInboxThatIsAnotherFolder(t *testing.T) {
	each(t, []store.State{store.Waiting, store.Identified}, func(t *testing.T, state store.State) {
		bubble(t, docutraytest.Options{}, func(r *rig) {
			r.write("scan.pdf", pdf("x"), "invoice")
			a, err := New(r.cfg).examine("scan.pdf")
			must(t, err)
			a.Inbox.Device, a.Inbox.Inode = a.Inbox.Device+1, a.Inbox.Inode+1
			_, err = r.store.Admit(bg, a)
			must(t, err)
			if state == store.Identified {
				r.answered(1, "invoice")
			}
			must(t, os.Rename(filepath.Join(r.inbox, "scan.pdf"), r.inbox+".scan"))
			r.start()
			r.pass(10 * time.Minute)
			d := r.doc("scan.pdf")
			same(t, "state", d.State, state)
			same(t, "reason", d.Error, errInboxAway.Error())
			r.held(store.HoldInbox, 0)
			must(t, os.Rename(r.inbox+".scan", filepath.Join(r.inbox, "scan.pdf")))
			r.reaches("scan.pdf", store.Filed, 2*time.Minute)
			time.Sleep(3 * time.Minute)
			r.p.CheckInbox()
			r.held("", 0)
		})
	})
}

// A document of an inbox that is no longer configured does not wait for ever. Its file stays
// where it is, and is not paid for again where it comes into the new inbox.
func TestInboxThatIsNoLongerConfigured(t *testing.T) {
	each(t, []store.State{store.Waiting, store.Pending, store.Identified}, func(t *testing.T, state store.State) {
		bubble(t, docutraytest.Options{Latency: time.Minute}, func(r *rig) {
			if state == store.Pending {
				r.at(state, func() { must(t, r.halt()) })
			} else {
				r.admitted("scan.pdf", pdf("old"))
				r.knows(pdf("old"), "invoice", 0.97)
			}
			if state == store.Identified {
				r.answered(1, "invoice")
			}
			before := r.inbox
			r.inbox += ".new"
			must(t, os.Mkdir(r.inbox, 0o755))
			r.cfg.Inbox = r.inbox
			r.start()
			d := r.reaches("scan.pdf", store.Gone, 5*time.Minute)
			same(t, "reason", strings.HasPrefix(d.Error, "left in an inbox that was no longer configured"), true)
			must(t, os.Rename(filepath.Join(before, "scan.pdf"), filepath.Join(r.inbox, "scan.pdf")))
			r.files <- "scan.pdf"
			r.reaches("scan.pdf", store.Filed, 5*time.Minute)
			jobs := 1
			if state == store.Identified { // the answer was stored without one
				jobs = 0
			}
			same(t, "jobs", r.service.Stats().Jobs, jobs)
		})
	})
}

// A folder of the inbox that is not mounted does not mean that its files were removed, nor
// does one that something else is mounted over.
func TestFolderThatIsNotMounted(t *testing.T) {
	each(t, []store.State{store.Waiting, store.Identified}, func(t *testing.T, state store.State) {
		each(t, []bool{false, true}, func(t *testing.T, over bool) {
			base := fastDir(t)
			stick, folder := filepath.Join(base, "stick"), filepath.Join(base, "inbox", "usb")
			small(t, stick, "size=1m")
			must(t, os.MkdirAll(folder, 0o755))
			mount := func() { must(t, syscall.Mount(stick, folder, "", syscall.MS_BIND, "")) }
			unmount := func() { must(t, syscall.Unmount(folder, syscall.MNT_DETACH)) }
			away, back := unmount, mount
			if over {
				away, back = mount, unmount
			} else {
				mount()
			}
			t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
			bubbleIn(t, base, docutraytest.Options{}, func(r *rig) {
				r.admitted("usb/scan.pdf", pdf("x"))
				r.knows(pdf("x"), "invoice", 0.97)
				if state == store.Identified {
					r.answered(1, "invoice")
				}
				away()
				r.start()
				r.pass(10 * time.Minute)
				d := r.doc("usb/scan.pdf")
				same(t, "state", d.State, state)
				same(t, "reason", d.Error, errFolderAway.Error())
				r.pass(7 * time.Minute)
				sameList(t, "stuck", r.summary().Stuck, store.Reason{Reason: errFolderAway.Error(), Count: 1})
				back()
				r.reaches("usb/scan.pdf", store.Filed, 2*time.Minute)
				missing(t, r.inbox, "usb/scan.pdf")
			})
		})
	})
}

// An inbox that was a mount point and is not any more is missing, though its folder is there.
func TestInboxThatIsUnmounted(t *testing.T) {
	base := fastDir(t)
	inbox := filepath.Join(base, "inbox")
	small(t, inbox, "size=1m")
	bubbleIn(t, base, docutraytest.Options{}, func(r *rig) {
		r.start()
		if r.p.CheckInbox() {
			t.Errorf("held while it is mounted: %+v", r.hold())
		}
		must(t, syscall.Unmount(inbox, syscall.MNT_DETACH))
		if !r.p.CheckInbox() {
			t.Fatal("not held")
		}
		contains(t, "reason", r.hold().Reason, "was a mount point")
		must(t, syscall.Mount("tmpfs", inbox, "tmpfs", 0, "size=1m"))
		if r.p.CheckInbox() {
			t.Errorf("held although it is back: %+v", r.hold())
		}
	})
}
