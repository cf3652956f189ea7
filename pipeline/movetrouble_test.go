package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

func TestDiskOfTheSortedDocuments(t *testing.T) {
	each(t, []string{"rename", "mkdir", "write new file", "fsync new file"}, func(t *testing.T, op string) {
		each(t, []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO}, func(t *testing.T, errno syscall.Errno) {
			mover, fault := faulty(op)
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				fault.Store(&errno)
				r.drop("scan.pdf", pdf("x"), "invoice")
				r.held(store.HoldDisk, time.Minute)
				jobs := r.service.Stats().Jobs
				r.dropNumbered(5)
				r.pass(time.Hour)
				r.held(store.HoldDisk, 0)
				same(t, "jobs meanwhile", r.service.Stats().Jobs, jobs)
				fault.Store(nil)
				r.allFiled(6, 2*time.Minute)
				r.held("", time.Second)
				same(t, "failed", r.counts()[store.Failed], 0)
				same(t, "jobs", r.service.Stats().Jobs, 6)
				same(t, "holds", r.log.count("on hold: action required"), 1)
			}, func(c *Config) { c.Mover, c.Sidecar = mover, true })
		})
	})
}

// Nothing is put into the folder beneath a filesystem that is not mounted any more.
func TestSortedThatIsUnmounted(t *testing.T) {
	base := fastDir(t)
	sorted := filepath.Join(base, "sorted")
	small(t, sorted, "size=1m")
	bubbleIn(t, base, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.pass(time.Second)
		must(t, syscall.Unmount(sorted, syscall.MNT_DETACH))
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldDisk, time.Minute)
		contains(t, "reason", r.hold().Reason, "was a mount point")
		same(t, "files in the folder beneath", len(tree(t, sorted)), 0)
		must(t, syscall.Mount("tmpfs", sorted, "tmpfs", 0, "size=1m"))
		r.reaches("scan.pdf", store.Filed, 5*time.Minute)
		r.held("", time.Second)
	})
}

// A hold of the disk ends once nobody waits for the disk, whatever other documents meet.
func TestDiskHoldEndsWithoutItsDocument(t *testing.T) {
	each(t, []bool{false, true}, func(t *testing.T, besideAnother bool) {
		mover, fault := faulty("rename")
		bubble(t, docutraytest.Options{}, func(r *rig) {
			must(t, os.Symlink("/nowhere", filepath.Join(r.sorted, "receipt")))
			r.start()
			if besideAnother {
				r.drop("link.pdf", pdf("link"), "receipt")
				r.until(time.Minute, "a reason", func() bool { return r.doc("link.pdf").Error != "" })
			}
			full := syscall.ENOSPC
			fault.Store(&full)
			r.drop("scan.pdf", pdf("x"), "invoice")
			r.held(store.HoldDisk, time.Minute)
			must(t, os.Remove(filepath.Join(r.inbox, "scan.pdf")))
			fault.Store(nil)
			r.held("", 5*time.Minute)
			r.file("next.pdf", pdf("next"), "invoice")
		}, func(c *Config) { c.Mover = mover })
	})
}

func TestNameThatIsTakenAgainAndAgain(t *testing.T) {
	mover, fault := faulty("rename")
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		exist := syscall.EEXIST
		fault.Store(&exist)
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.until(time.Minute, "a reason", func() bool { return r.doc("scan.pdf").Error != "" })
		fault.Store(nil)
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
	}, func(c *Config) { c.Mover = mover })
}

func TestSortedFolderMissing(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		must(t, os.Remove(r.sorted))
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldDisk, time.Minute)
		if _, err := os.Stat(r.sorted); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the folder was made; it may be a mount point")
		}
		must(t, os.Mkdir(r.sorted, 0o755))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
		r.held("", time.Second)
	})
}

// A folder of one type that is a link keeps the documents of that type only.
func TestTypeFolderIsALink(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		away := fastDir(t)
		must(t, os.Symlink(away, filepath.Join(r.sorted, "invoice")))
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.file("other.pdf", pdf("y"), "receipt")
		d := r.doc("scan.pdf")
		if d.State != store.Identified || !strings.Contains(d.Error, "link") {
			t.Errorf("%s: %q", d.State, d.Error)
		}
		r.held("", 0)
		same(t, "written through the link", len(tree(t, away)), 0)
		must(t, os.Remove(filepath.Join(r.sorted, "invoice")))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
	})
}

// A source that cannot be read or synced is trouble of its document, whatever its
// disk says: the others are submitted and filed.
func TestSourceThatCannotBeSyncedHoldsNothing(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		mover, fault := faulty("fsync source")
		t.Run(errno.Error(), func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				r.start()
				fault.Store(&errno)
				r.drop("scan.pdf", pdf("x"), "invoice")
				r.until(time.Minute, "a reason", func() bool { return strings.Contains(r.doc("scan.pdf").Error, errno.Error()) })
				r.held("", 0)
				r.drop("other.pdf", pdf("other"), "invoice")
				r.until(10*time.Second, "submitted", func() bool { return r.service.Stats().Jobs == 2 })
				fault.Store(nil)
				r.reaches("scan.pdf", store.Filed, 2*time.Minute)
				r.reaches("other.pdf", store.Filed, 2*time.Minute)
			}, func(c *Config) { c.Mover = mover })
		})
	}
}

// A folder of the inbox that may be written to and not read delays nothing, not even
// the document in it.
func TestFolderOfTheInboxThatCannotBeRead(t *testing.T) {
	if !asNobody(t) {
		return
	}
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.write("drop/scan.pdf", pdf("x"), "invoice")
		drop := filepath.Join(r.inbox, "drop")
		must(t, os.Chmod(drop, 0o333))
		defer os.Chmod(drop, 0o755)
		r.start()
		r.files <- "drop/scan.pdf"
		r.reaches("drop/scan.pdf", store.Filed, 10*time.Second)
		same(t, "holds", r.log.count("on hold: action required"), 0)
	})
}

// Folders beneath sorted that cannot be written to, or are none, keep their own
// documents only, also where nothing else is filed.
func TestFolderOfOneTypeThatCannotBeUsed(t *testing.T) {
	if !asNobody(t) {
		return
	}
	for name, spoil := range map[string]func(folder string) error{
		"closed": func(folder string) error { return os.Mkdir(folder, 0o555) },
		"a file": func(folder string) error { return os.WriteFile(folder, []byte("x"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, docutraytest.Options{}, func(r *rig) {
				// Beneath _review a folder is to be made first.
				for _, folder := range []string{"invoice", "_review"} {
					must(t, spoil(filepath.Join(r.sorted, folder)))
				}
				defer os.Chmod(filepath.Join(r.sorted, "_review"), 0o755)
				r.start()
				r.drop("scan.pdf", pdf("x"), "invoice")
				r.dropUnsure("doubtful.pdf", pdf("y"), "receipt", 0.1)
				for _, n := range []string{"scan.pdf", "doubtful.pdf"} {
					r.until(time.Minute, "a reason", func() bool { return r.doc(n).Error != "" })
					same(t, "state", r.doc(n).State, store.Identified)
				}
				r.pass(time.Minute)
				for i := range 3 {
					n := fmt.Sprint(i, ".pdf")
					r.drop(n, pdf(n), "contract")
					r.reaches(n, store.Filed, 5*time.Second)
				}
				same(t, "holds", r.log.count("on hold: action required"), 0)
			}, func(c *Config) { c.MinConfidence = 0.5 })
		})
	}
}

// Where nothing can be put into sorted it is a hold, and no document's own.
func TestSortedFolderThatIsReadOnly(t *testing.T) {
	if !asNobody(t) {
		return
	}
	bubble(t, docutraytest.Options{}, func(r *rig) {
		must(t, os.Chmod(r.sorted, 0o555))
		defer os.Chmod(r.sorted, 0o755)
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldDisk, time.Minute)
		must(t, os.Chmod(r.sorted, 0o755))
		r.reaches("scan.pdf", store.Filed, 2*time.Minute)
		r.held("", time.Second)
	})
}

// A document that does not fit is a full disk, though smaller ones are filed: no more is
// paid for that may not fit either.
func TestDocumentThatDoesNotFit(t *testing.T) {
	base := fastDir(t)
	sorted := filepath.Join(base, "sorted")
	small(t, sorted, "size=512k")
	bubbleIn(t, base, docutraytest.Options{}, func(r *rig) {
		must(t, os.WriteFile(filepath.Join(sorted, "ballast"), make([]byte, 350<<10), 0o600))
		large := pdf(strings.Repeat("x", 200<<10))
		r.identified(1, "large.pdf", large, "invoice")
		r.identified(2, "small.pdf", pdf("small"), "invoice")
		r.start()
		r.reaches("small.pdf", store.Filed, time.Minute)
		r.held(store.HoldDisk, time.Minute)
		same(t, "reason", r.doc("large.pdf").Error, "cannot be moved: no space left on device")
		for i := range 5 {
			r.file(fmt.Sprint(i, ".pdf"), pdf("small"), "invoice") // by the answer that is there
			time.Sleep(time.Minute)
		}
		r.held(store.HoldDisk, 0)
		same(t, "holds", r.log.count("on hold: action required"), 1)
		r.drop("new.pdf", pdf("new"), "invoice")
		r.pass(time.Hour)
		r.held(store.HoldDisk, 0)
		same(t, "jobs", r.service.Stats().Jobs, 0)
		must(t, os.Remove(filepath.Join(sorted, "ballast")))
		r.reaches("large.pdf", store.Filed, 3*time.Minute)
		r.reaches("new.pdf", store.Filed, time.Minute)
		r.held("", time.Minute)

		must(t, os.WriteFile(filepath.Join(sorted, "ballast"), make([]byte, 150<<10), 0o600))
		r.drop("gone.pdf", pdf(strings.Repeat("y", 200<<10)), "invoice")
		r.held(store.HoldDisk, time.Minute)
		must(t, os.Remove(filepath.Join(r.inbox, "gone.pdf")))
		r.held("", 5*time.Minute)
	})
}

// One type has a disk of its own, which is full: the others are filed, whether or not
// something else is there that could be filed beside it.
func TestDiskOfOneType(t *testing.T) {
	each(t, []bool{false, true}, func(t *testing.T, beside bool) {
		base := fastDir(t)
		receipts := filepath.Join(base, "sorted", "receipt")
		small(t, receipts, "size=64k")
		bubbleIn(t, base, docutraytest.Options{}, func(r *rig) {
			free := fill(t, receipts)
			full := pdf(strings.Repeat("f", 9000))
			if beside {
				r.identified(1, "full.pdf", full, "receipt")
				r.identified(2, "good.pdf", pdf("good"), "invoice")
				r.start()
				r.reaches("good.pdf", store.Filed, time.Minute)
				r.held("", 5*time.Minute)
			} else {
				r.start()
				r.drop("full.pdf", full, "receipt")
			}
			r.until(time.Minute, "a reason", func() bool { return strings.Contains(r.doc("full.pdf").Error, "no space") })
			for i := range 5 {
				r.held("", 0)
				name := fmt.Sprint(i, ".pdf")
				r.drop(name, pdf(name), "invoice")
				r.reaches(name, store.Filed, 5*time.Second)
			}
			free()
			r.reaches("full.pdf", store.Filed, 2*time.Minute)
		})
	})
}
