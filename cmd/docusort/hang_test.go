package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fileServer is a filesystem whose server can be stopped: what is asked of it then is not
// answered, as by a share of a machine that is off.
type fileServer struct{ bindfs *exec.Cmd }

// serve mounts a folder that it makes at a path.
func (w *world) serve(at string) *fileServer {
	w.t.Helper()
	if _, err := exec.LookPath("bindfs"); err != nil || os.Getuid() != 0 {
		w.t.Skip("no bindfs, or not root")
	}
	back, err := os.MkdirTemp(w.dir, "served")
	noErr(w.t, err)
	noErr(w.t, os.MkdirAll(at, 0o755))
	s := &fileServer{exec.Command("bindfs", "-f", back, at)}
	s.bindfs.Stdout, s.bindfs.Stderr = w.t.Output(), w.t.Output()
	noErr(w.t, s.bindfs.Start())
	mounted := func() bool {
		mounts, err := os.ReadFile("/proc/self/mounts")
		return err == nil && strings.Contains(string(mounts), " "+at+" fuse")
	}
	ended := make(chan struct{})
	go func() {
		_ = s.bindfs.Wait()
		close(ended)
	}()
	w.t.Cleanup(func() {
		s.answer()
		for _, c := range w.children {
			_ = c.cmd.Process.Kill()
			<-c.ended
		}
		_ = syscall.Unmount(at, syscall.MNT_DETACH)
		<-ended
	})
	for end := time.Now().Add(deadline); !mounted(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-ended:
			w.t.Skip("bindfs cannot be used here")
		default:
		}
		if time.Now().After(end) {
			w.t.Fatal("bindfs does not mount")
		}
	}
	return s
}

// hang has the server answer nothing. It returns once all its threads stand.
func (s *fileServer) hang(t *testing.T) {
	t.Helper()
	noErr(t, s.bindfs.Process.Signal(syscall.SIGSTOP))
	poll(t, "the server stands", func() bool { return frozen(t, s.bindfs.Process.Pid) })
}

// answer has it go on.
func (s *fileServer) answer() { _ = s.bindfs.Process.Signal(syscall.SIGCONT) }

// TestMountHangs: while a folder does not answer, the work is on hold, commands that do not
// need it work, a stop ends the daemon, and the next run goes on.
func TestMountHangs(t *testing.T) {
	for name, at := range map[string]func(w *world) string{
		"inbox":     func(w *world) string { return w.inbox },
		"subfolder": func(w *world) string { return filepath.Join(w.inbox, "deep", "folder") },
		"sorted":    func(w *world) string { return w.sorted },
		"all but the database": func(w *world) string {
			share := filepath.Join(w.dir, "share")
			w.settings["DOCUSORT_HOME"], w.settings["DOCUSORT_DATABASE"] = share, w.database("")
			w.inbox, w.sorted = filepath.Join(share, "inbox"), filepath.Join(share, "sorted")
			return share
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			server := w.serve(at(w))
			noErr(t, os.MkdirAll(w.inbox, 0o755))
			w.settings["DOCUSORT_SHUTDOWN_GRACE"] = "1s"
			c := w.childInjected(injection{HangAfter: 3 * time.Second}, "run")
			m := w.manage(c)
			c.begin()
			w.drop("scan.pdf", pdf(invoice, "one"))
			w.waitState("filed", 1)
			server.hang(t)
			if name == "sorted" {
				w.drop("next.pdf", pdf(invoice, "two"))
			}
			w.waitHold("disk")
			w.checkHoldShown("disk")
			m.waitMessage(len(m.all("WATCHDOG"))+9, "WATCHDOG")
			if name == "sorted" { // it was in good order but for a while
				server.answer()
				w.waitFor("the hold ends", func(r *reportJSON) bool { return r.Daemon.Hold == nil })
				w.waitState("filed", 2)
				server.hang(t)
				w.drop("third.pdf", pdf(invoice, "three"))
				w.waitHold("disk")
			}
			for _, command := range []string{"report", "version", "--version", "retry --help", "types"} {
				w.start(strings.Fields(command)...).waitExit(exitDone)
			}
			c.signal(syscall.SIGTERM)
			began := time.Now()
			c.waitExit(exitFailed, "does not answer", "Nothing is lost")
			if took := time.Since(began); took > time.Second+daemonStop+5*time.Second {
				t.Errorf("the stop took %v", took)
			}
			late := w.start("run")
			late.waitOutput("still waiting for the folders")
			late.signal(syscall.SIGTERM)
			server.answer()
			late.waitExit(exitDone) // stopped while it starts
			w.drop("last.pdf", pdf(invoice, "last"))
			c = w.start("run")
			w.waitAllDone()
			w.stop(c)
			w.requestsMayRepeat = true // the types were asked for
			w.checkSubmissions(len(w.check().Documents))
		})
	}
}
