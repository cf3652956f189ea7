package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"

	"golang.org/x/sys/unix"
)

var soakFor = flag.Duration("soak", 0, "how long TestSoak goes on; 0: some seconds, with -long an hour")

// soak is a machine on which everything happens at random.
type soak struct {
	*world
	r       *rand.Rand
	daemon  *child
	serial  int
	touched []string // paths of documents that users change, rename and remove
	sources map[string]bool
	disk    string // the filesystem of all; "": not one of our own
	full    bool
	away    bool // the folder of sorted documents is
	done    map[string]int
}

// TestSoak mixes all that can happen, at random, and then checks every promise:
// documents come, change, go, are renamed alone and in folders; the service and
// the account have trouble; the disk is full or gone; daemons are killed.
func TestSoak(t *testing.T) {
	t.Parallel()
	length := *soakFor
	if length == 0 {
		length = 12 * time.Second
		if *long {
			length = time.Hour
		}
	}
	s := newSoak(t, length)
	s.start()
	for end := time.Now().Add(length); time.Now().Before(end); {
		s.step()
		time.Sleep(time.Duration(s.r.IntN(60)) * time.Millisecond)
	}
	s.endTrouble()
	r, _ := s.report()
	t.Logf("%v; %v; %+v; %d uploads were whole", s.done, r.Totals, r.Requests, s.api.Stats().Complete)
}

func newSoak(t *testing.T, length time.Duration) *soak {
	r := random(t)
	o := docutraytest.Options{Latency: 60 * time.Millisecond, Sigma: 1, Seed: r.Uint64(), AltForms: true}
	s := &soak{r: r, sources: map[string]bool{}, done: map[string]int{}}
	dir := fastDir(t)
	size := fmt.Sprintf("size=%dm,mode=755", 48+16*int(length.Minutes())) // nothing is ever taken out of sorted
	if err := unix.Mount("test", dir, "tmpfs", 0, size); err == nil {
		s.disk = dir
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	} else {
		t.Logf("no disk gets full here: %v", err)
	}
	s.world = newWorldIn(t, dir, o)
	s.requestsMayRepeat = true
	s.review(0.7)
	s.settings["DOCUSORT_SIDECAR"] = "true"
	s.settings["DOCUSORT_MAX_ATTEMPTS"] = "2"
	s.settings["DOCUSORT_MAX_PENDING"] = "20"
	s.settings["DOCUSORT_LOG_LEVEL"] = "info"
	return s
}

// start starts the next daemon. On a full disk it would end with an error, as
// often as somebody starts it.
func (s *soak) start() {
	s.empty()
	s.putBack() // a daemon that starts makes what is missing
	s.daemon = s.world.startInjected(someInjection(s.r), "run")
}

// step does one thing at random, ordinary ones more often.
func (s *soak) step() {
	s.t.Helper()
	select {
	case <-s.daemon.ended: // at a point of its own
		s.putBack() // it is looked for
		s.waitKilled(s.daemon)
		s.start()
		s.done["died"]++
	default:
	}
	all := []struct {
		name  string
		often int
		do    func() bool
	}{
		{"dropped", 30, s.arrive}, {"changed", 6, s.change}, {"exchanged", 6, s.replace}, {"took", 6, s.remove},
		{"renamed", 8, s.rename}, {"renamed a folder", 3, s.renameFolder}, {"service trouble", 3, s.serviceTrouble},
		{"account trouble", 1, s.accountTrouble}, {"service well", 4, s.serviceWell}, {"disk filled", 2, s.fill},
		{"disk emptied", 4, s.empty}, {"sorted away", 1, s.putAway}, {"sorted back", 4, s.putBack},
		{"killed", 2, s.kill}, {"stopped", 1, s.stopAndStart}, {"reloaded", 2, s.look},
	}
	total := 0
	for _, a := range all {
		total += a.often
	}
	n := s.r.IntN(total)
	for _, a := range all {
		if n -= a.often; n < 0 {
			if a.do() {
				s.done[a.name]++
			}
			return
		}
	}
}

func (s *soak) serviceTrouble() bool {
	rate := func() float64 { return float64(s.r.IntN(3)) * 0.1 }
	f := docutraytest.Faults{
		FailSubmit: rate(), DropBefore: rate(), DropAfter: rate(), BrokenJSON: rate(), FailPoll: rate(), DropPoll: rate(),
		Stall: rate(), StallFor: docutraytest.Duration(200 * time.Millisecond),
		Gzip: rate(), NoID: rate() / 4, NotFoundFor: docutraytest.Duration(rate() * float64(time.Second)),
	}
	switch s.r.IntN(8) {
	case 0:
		f.Outage = docutraytest.OutageUnavailable
	case 1:
		f.Outage = docutraytest.OutageDrop
	case 2:
		f.Outage, f.Page = "404", s.r.IntN(2) == 0
	case 3:
		f.SubmitStatus, f.Page = 400+s.r.IntN(60), true
	}
	s.api.SetFaults(f)
	return true
}

func (s *soak) accountTrouble() bool {
	states := []docutraytest.AccountState{docutraytest.AccountKeyRevoked, docutraytest.AccountQuotaUsed,
		docutraytest.AccountQuota429, docutraytest.AccountNoTypes, docutraytest.AccountNoAccess}
	s.api.SetAccount(states[s.r.IntN(len(states))], noTime)
	return true
}

func (s *soak) serviceWell() bool {
	s.api.SetFaults(docutraytest.Faults{})
	return true
}

// fill fills the disk of the inbox, the documents and the database.
func (s *soak) fill() bool {
	if s.disk == "" || s.full {
		return false
	}
	fill(s.t, s.disk)
	s.full = true
	return true
}

func (s *soak) empty() bool {
	was := s.full
	if was {
		removeBallast(s.t, s.disk)
	}
	s.full = false
	return was
}

// putAway moves the sorted folder away, like a share that is not mounted.
func (s *soak) putAway() bool {
	if !s.away && s.ready() && os.Rename(s.sorted, filepath.Join(s.dir, "sorted away")) == nil {
		s.away = true
		return true
	}
	return false
}

func (s *soak) putBack() bool {
	was := s.away
	if was {
		noErr(s.t, os.Rename(filepath.Join(s.dir, "sorted away"), s.sorted))
	}
	s.away = false
	return was
}

// kill ends the daemon, and checks what it left.
func (s *soak) kill() bool {
	s.putBack() // it is looked for
	s.world.kill(s.daemon)
	s.start()
	return true
}

func (s *soak) stopAndStart() bool {
	if !s.signals(syscall.SIGTERM) {
		return false
	}
	if code := s.daemon.wait(); code != exitDone && code != killed {
		s.t.Fatalf("it ended with %d", code)
	}
	s.start()
	return true
}

func (s *soak) look() bool { return s.signals(syscall.SIGHUP) }

// signals sends a signal to a daemon that is ready for it; others it would end.
func (s *soak) signals(sig os.Signal) bool {
	return s.ready() && s.daemon.cmd.Process.Signal(sig) == nil
}

// ready: the daemon has started.
func (s *soak) ready() bool { return strings.Contains(s.daemon.stderr.String(), logStarted) }

// endTrouble ends all trouble, lets a daemon do what is left, and checks.
func (s *soak) endTrouble() {
	s.t.Helper()
	s.putBack()
	s.empty()
	s.serviceWell()
	s.world.kill(s.daemon)
	s.daemon = s.world.start("run")
	s.waitRunning(s.daemon) // there may be nothing left to do
	s.daemon.signal(syscall.SIGHUP)
	s.waitAllDone()
	s.stop(s.daemon)
	r := s.checkDisk()
	s.checkTypes(&r)
	s.checkPaidOnce(&r)
}

// checkPaidOnce is askedNoMoreThanNeeded where documents change and go: the
// content of a record that is gone may be submitted again by another record.
func (s *soak) checkPaidOnce(r *reportJSON) {
	s.t.Helper()
	submissions, again, stats := s.submissions(), s.resubmissions(r), s.api.Stats()
	for h, n := range stats.CompleteBySHA256 {
		if n > submissions[h] {
			s.t.Errorf("document %.8s was uploaded %d times; the database has %d submissions", h, n, submissions[h])
		}
	}
	if stats.Complete > r.Requests.Submissions {
		s.t.Errorf("%d uploads were whole, %d are reported", stats.Complete, r.Requests.Submissions)
	}
	for h, n := range stats.JobsBySHA256 {
		if s.dropped[h] == nil {
			s.t.Errorf("%.8s was uploaded and never dropped", h)
		}
		if !s.sources[h] && !s.mustFail[h] && n > 1+again[h] {
			s.t.Errorf("document %.8s has %d jobs; the database has %d resubmissions", h, n, again[h])
		}
	}
}
