package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"

	"golang.org/x/sys/unix"
)

// A folder that lets none of its documents go is logged a few times, not each of them.
func TestFolderThatLetsNoneGoIsLoggedOnce(t *testing.T) {
	mover, fault := faulty("rename")
	bubble(t, docutraytest.Options{}, func(r *rig) {
		denied := syscall.EACCES
		fault.Store(&denied)
		r.start()
		for i := range 50 {
			r.drop(fmt.Sprintf("locked/%d.pdf", i), pdf(fmt.Sprint(i)), "invoice")
		}
		r.pass(30 * time.Minute)
		same(t, "documents logged", r.log.count("document cannot be moved; will try again"), 1)
		same(t, "times that they are counted", r.log.count("documents wait in a folder that lets none go"), 1)
		for i := range 5 {
			r.drop(fmt.Sprintf("locked/more %d.pdf", i), pdf(fmt.Sprint("more", i)), "invoice")
		}
		r.pass(30 * time.Minute)
		same(t, "times that they are counted with more", r.log.count("documents wait in a folder that lets none go"), 2)
		r.drop("other/1.pdf", pdf("other"), "invoice")
		r.pass(time.Minute)
		same(t, "documents logged of two folders", r.log.count("document cannot be moved; will try again"), 2)
		r.pass(3 * time.Hour)
		fault.Store(nil)
		r.until(time.Hour, "all filed", func() bool { return r.counts()[store.Filed] == 56 })
		fault.Store(&denied)
		r.drop("locked/again.pdf", pdf("again"), "invoice")
		r.pass(time.Minute)
		same(t, "documents logged when it is long ago", r.log.count("document cannot be moved; will try again"), 3)
	}, func(c *Config) { c.Mover = mover })
}

// So is one whose files cannot be admitted.
func TestFolderThatCannotBeReadIsLoggedOnce(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.pass(time.Second) // and with it the first count
		for i := range 20 {
			name := fmt.Sprintf("locked/%d.pdf", i)
			r.write(name, pdf(name), "invoice")
			if !appendOnly(filepath.Join(r.inbox, name)) {
				t.Skip("no append-only attribute here")
			}
			t.Cleanup(func() { appendOnly(filepath.Join(r.inbox, name)) })
			r.files <- name
		}
		r.pass(30 * time.Minute)
		same(t, "documents logged", r.log.count("document cannot be admitted"), 1)
		same(t, "times that they are counted", r.log.count("documents wait in a folder that lets none go"), 1)
	})
}

// appendOnly turns the attribute of a file on or off.
func appendOnly(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	const flag = 0x20 // FS_APPEND_FL
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags^flag)) == nil
}
