package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// manager receives what a daemon sends to systemd.
type manager struct {
	t     *testing.T
	mu    sync.Mutex
	heard []string
}

// startManaged starts a daemon that somebody manages, with a watchdog.
func (w *world) startManaged() (*child, *manager) {
	w.t.Helper()
	c := w.child("run")
	m := w.manage(c)
	c.begin()
	return c, m
}

// manage has a process that is not started yet send to the manager that it returns.
func (w *world) manage(c *child) *manager {
	w.t.Helper()
	socket := filepath.Join(w.dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	noErr(w.t, err)
	m := &manager{t: w.t}
	var listening sync.WaitGroup
	listening.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.heard = append(m.heard, string(buf[:n]))
			m.mu.Unlock()
		}
	})
	w.t.Cleanup(func() {
		_ = conn.Close()
		listening.Wait()
	})
	c.cmd.Env = append(c.cmd.Env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=300000")
	return m
}

// all returns what was heard that begins in one of these ways, in its order.
func (m *manager) all(prefixes ...string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.heard), func(s string) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
	})
}

// waitMessage waits for something that begins like this, n times.
func (m *manager) waitMessage(n int, prefix string) {
	m.t.Helper()
	poll(m.t, fmt.Sprintf("%d times %q", n, prefix), func() bool { return len(m.all(prefix)) >= n })
}

// TestManagedDaemon: ready, alive, at work, reloading, stopping.
func TestManagedDaemon(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_SHUTDOWN_GRACE"] = "7m"
	w.settings["DOCUSORT_RESCAN"] = "1h"
	c, m := w.startManaged()
	m.waitMessage(1, "READY=1")
	m.waitMessage(3, "WATCHDOG=1")
	m.waitMessage(1, "STATUS=0 waiting, 0 uploading, 0 pending, 0 filed today")
	w.drop("scan.pdf", pdf(invoice, "scan"))
	m.waitMessage(1, "STATUS=0 waiting, 0 uploading, 0 pending, 1 filed today")
	c.signal(syscall.SIGHUP)
	m.waitMessage(2, "READY=1")
	w.stop(c)
	got := m.all("READY", "RELOADING", "STOPPING")
	if len(got) != 4 || !strings.HasPrefix(got[1], "RELOADING=1\nMONOTONIC_USEC=") || got[2] != "READY=1" ||
		got[3] != "STOPPING=1\nEXTEND_TIMEOUT_USEC=450000000" {
		t.Errorf("systemd gets %q", got)
	}
}

// TestManagedWithoutInbox: a daemon without its inbox shows that it waits for it, and is
// ready once the inbox has been scanned.
func TestManagedWithoutInbox(t *testing.T) {
	w := newWorld(t)
	w.drop("scan.pdf", pdf(invoice, "scan"))
	w.runToEnd()
	noErr(t, os.Remove(w.inbox))
	c, m := w.startManaged()
	m.waitMessage(1, "STATUS=on hold (inbox): the inbox is missing: stat "+w.inbox+": ")
	if got := m.all("READY"); len(got) > 0 {
		t.Errorf("it is ready without an inbox: %q", got)
	}
	noErr(t, os.Mkdir(w.inbox, 0o755))
	m.waitMessage(1, "READY=1")
	m.waitMessage(1, "STATUS=0 waiting, 0 uploading, 0 pending, 1 filed today")
	w.stop(c)
}
