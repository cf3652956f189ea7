package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// small mounts a small filesystem of its own at a folder.
func small(t *testing.T, at, options string) {
	t.Helper()
	must(t, os.MkdirAll(at, 0o755))
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, options); err != nil {
		t.Skipf("a filesystem of its own needs a superuser: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(at, syscall.MNT_DETACH)) })
}

// fill takes all the room there is.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	must(t, err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(ballast)) }
}

// The disk of the record is full: nothing is submitted that could not be
// recorded, nothing fails, no job is lost, and it goes on by itself.
func TestDiskOfTheRecord(t *testing.T) {
	base := fastDir(t)
	small(t, base, "size=2m")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, base, docutraytest.Options{})
		defer r.close()
		r.slowUploads(2 * time.Second)
		r.start()
		r.drop("first.pdf", pdf("first"), "invoice")
		time.Sleep(time.Second)
		synctest.Wait()
		free := fill(t, base)
		time.Sleep(10 * time.Second) // the job is made, and cannot be stored
		synctest.Wait()
		same(t, "jobs", r.service.Stats().Jobs, 1)
		r.held(store.HoldDisk, 0)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		same(t, "jobs", r.service.Stats().Jobs, 1)
		free()
		d := r.reaches("first.pdf", store.Filed, 3*time.Minute)
		r.drop("second.pdf", pdf("second"), "invoice")
		r.reaches("second.pdf", store.Filed, 3*time.Minute)
		r.held("", time.Second)
		same(t, "submissions", d.Submissions, 1)
		same(t, "jobs", r.service.Stats().Jobs, 2)
		sameList(t, "sorted", r.names(), "invoice/first.pdf", "invoice/second.pdf")
	})
}

// One type has a disk of its own, which is full, and nothing else is there that
// could be filed: what comes then is.
func TestDiskOfOneTypeAlone(t *testing.T) {
	base := fastDir(t)
	receipts := filepath.Join(base, "sorted", "receipt")
	small(t, receipts, "size=64k")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, base, docutraytest.Options{})
		defer r.close()
		free := fill(t, receipts)
		r.start()
		r.drop("full.pdf", pdf(strings.Repeat(" ", 9000)), "receipt")
		r.until(time.Minute, "a reason", func() bool { return strings.Contains(r.doc("full.pdf").Error, "no space") })
		r.held("", 0)
		r.drop("good.pdf", pdf("good"), "invoice")
		r.reaches("good.pdf", store.Filed, 5*time.Second)
		free()
		r.reaches("full.pdf", store.Filed, 2*time.Minute)
	})
}

// Others were filed beside it.
func TestDiskOfOneType(t *testing.T) {
	base := fastDir(t)
	receipts := filepath.Join(base, "sorted", "receipt")
	small(t, receipts, "size=64k")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, base, docutraytest.Options{})
		defer r.close()
		free := fill(t, receipts)
		for i, d := range []struct{ name, kind string }{{"full.pdf", "receipt"}, {"good.pdf", "invoice"}} {
			id := int64(i + 1)
			r.admitted(d.name, pdf(d.name+strings.Repeat(" ", 9000)))
			r.submitting(id)
			r.accepted(id, d.name)
			r.identified(id, store.Answer{Type: d.kind, Confidence: 1, Outcome: store.Filed})
		}
		r.start()
		r.reaches("good.pdf", store.Filed, time.Minute)
		r.held("", 5*time.Minute)
		for i := range 5 {
			name := fmt.Sprint(i, ".pdf")
			r.drop(name, pdf(name), "invoice")
			r.reaches(name, store.Filed, time.Minute)
			r.held("", 0)
		}
		if d := r.doc("full.pdf"); !strings.Contains(d.Error, "no space") {
			t.Errorf("%s: %q", d.State, d.Error)
		}
		free()
		r.reaches("full.pdf", store.Filed, 2*time.Minute)
	})
}
