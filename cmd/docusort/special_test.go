package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openWatch sees every opening of a file in some folders.
type openWatch struct {
	t  *testing.T
	fd int
}

func watchOpens(t *testing.T, folders ...string) *openWatch {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	noErr(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	for _, dir := range folders {
		_, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN|unix.IN_ACCESS)
		noErr(t, err)
	}
	return &openWatch{t, fd}
}

// names returns what was opened until now.
func (o *openWatch) names() (names []string) {
	o.t.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(o.fd, buf)
		if err == unix.EAGAIN {
			return names
		}
		noErr(o.t, err)
		for b := buf[:n]; len(b) > 0; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
			end := unix.SizeofInotifyEvent + int(e.Len)
			if e.Mask&unix.IN_Q_OVERFLOW != 0 {
				o.t.Fatal("more was opened than the kernel can tell of")
			}
			names = append(names, strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00"))
			b = b[end:]
		}
	}
}

// makeSpecialFiles makes one of each kind of special file in the inbox, and returns their
// names. Links lead to a folder outside.
func (w *world) makeSpecialFiles(outside string) (names []string) {
	w.t.Helper()
	add := func(name string, err error) {
		w.t.Helper()
		noErr(w.t, err)
		names = append(names, name)
	}
	in := func(name string) string { return filepath.Join(w.inbox, name) }
	add("to a file.pdf", os.Symlink(filepath.Join(outside, "outside.pdf"), in("to a file.pdf")))
	add("to a folder", os.Symlink(outside, in("to a folder")))
	add("dangling.pdf", os.Symlink(filepath.Join(outside, "missing.pdf"), in("dangling.pdf")))
	add("to itself.pdf", os.Symlink("to itself.pdf", in("to itself.pdf")))
	add("to the inbox", os.Symlink(".", in("to the inbox")))
	add("fifo.pdf", syscall.Mkfifo(in("fifo.pdf"), 0o666))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	noErr(w.t, err)
	w.t.Cleanup(func() { unix.Close(fd) })
	add("socket.pdf", unix.Bind(fd, &unix.SockaddrUnix{Name: in("socket.pdf")}))
	if err := unix.Mknod(in("device.pdf"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err == nil {
		names = append(names, "device.pdf")
	}
	return names
}

// TestSpecialFiles: links, FIFOs, sockets and devices are left alone, logged once and
// never opened, and what a link leads to is not touched.
func TestSpecialFiles(t *testing.T) {
	for _, mode := range []string{"inotify", "poll"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t)
			w.settings["DOCUSORT_WATCH"] = mode
			outside := filepath.Join(w.dir, "not ours")
			noErr(t, os.Mkdir(outside, 0o755))
			noErr(t, os.WriteFile(filepath.Join(outside, "outside.pdf"), pdf(invoice, "outside"), 0o644))
			opened := watchOpens(t, w.inbox, outside)
			var names []string
			if mode == "poll" {
				names = w.makeSpecialFiles(outside)
			}
			d := w.start("run")
			w.waitRunning(d)
			if mode == "inotify" {
				names = w.makeSpecialFiles(outside)
			}
			for i := range 3 { // each is found by another scan, or by an event
				w.drop(fmt.Sprintf("%d.pdf", i), pdf(invoice, fmt.Sprint(i)))
				w.waitState("filed", i+1)
			}
			for _, name := range opened.names() {
				if slices.Contains(names, name) || name == "outside.pdf" {
					t.Errorf("%q was opened", name)
				}
			}
			w.stop(d)
			for _, name := range names {
				file := filepath.Join(w.inbox, name)
				if n := countLog(d, file, logLeftAlone); n != 1 {
					t.Errorf("%q was logged %d times", name, n)
				}
				_, err := os.Lstat(file)
				noErr(t, err)
				noErr(t, os.Remove(file)) // what it leads to would be read by check
			}
			if r := w.check(); len(r.Documents) != 3 {
				t.Errorf("%d documents", len(r.Documents))
			}
			if there := filesIn(t, outside); len(there) != 1 {
				t.Errorf("outside there are %q", there)
			}
		})
	}
}

// countLog counts the lines of the log with a text and a path.
func countLog(c *child, path, text string) (n int) {
	for line := range strings.Lines(c.stderr.String()) {
		if strings.Contains(line, text) && strings.Contains(line, path) {
			n++
		}
	}
	return n
}

// takeAway removes a document from the inbox, and expects it to be gone.
func (w *world) takeAway(file string) {
	w.t.Helper()
	content, err := os.ReadFile(file)
	noErr(w.t, err)
	noErr(w.t, os.Remove(file))
	h := hashOf(content)
	w.dropped[h] = w.dropped[h][:len(w.dropped[h])-1]
}
