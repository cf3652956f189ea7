package pipeline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// A source that cannot be read or synced is trouble of its document, whatever its
// disk says: the others are submitted and filed.
func TestTroubleOfTheSourceHoldsNothing(t *testing.T) {
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

// A document whose whole path is longer than a path may be is filed like any other.
func TestLongPath(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		folder := strings.Repeat(strings.Repeat("d", 249)+"/", 16) + strings.Repeat("d", 80)
		inbox, err := os.OpenRoot(r.inbox)
		must(t, err)
		defer inbox.Close()
		must(t, inbox.MkdirAll(folder, 0o755))
		source := folder + "/x.pdf"
		if n := len(r.inbox + "/" + folder); n < 4096 {
			t.Fatalf("%d bytes are no long path", n)
		}
		must(t, inbox.WriteFile(source, []byte(pdf("x")), 0o640))
		r.knows(pdf("x"), "invoice", 0.97)
		r.start()
		r.files <- source
		r.until(time.Minute, "filed", func() bool { return r.doc(source).State == store.Filed })
		r.held("", 0)
		same(t, "holds", r.log.count("on hold: action required"), 0)
	})
}

// asNobody runs the calling test in a process of a user without rights, if this is
// not one already.
func asNobody(t *testing.T) (isNobody bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	exe, err := os.Open("/proc/self/exe") // its folder may be closed to nobody
	must(t, err)
	defer exe.Close()
	tmp, err := os.MkdirTemp("/tmp", "docusort")
	must(t, err)
	defer os.RemoveAll(tmp)
	must(t, os.Chmod(tmp, 0o777))
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Dir = tmp
	cmd.Env = []string{"TMPDIR=" + tmp, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	} else if strings.Contains(string(out), "no tests to run") {
		t.Errorf("nothing was run as nobody\n%s", out)
	}
	return false
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
				r.drop("doubtful.pdf", pdf("y"), "receipt")
				r.knows(pdf("y"), "receipt", 0.1)
				for _, n := range []string{"scan.pdf", "doubtful.pdf"} {
					r.until(time.Minute, "a reason", func() bool { return r.doc(n).Error != "" })
					same(t, "state", r.doc(n).State, store.Identified)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
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
func TestSortedThatCannotBeWrittenTo(t *testing.T) {
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
