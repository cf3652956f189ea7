package pipeline

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
)

// Polls that stall delay no other job, neither at first nor later, and do not starve each
// other.
func TestStalledPollsDelayNoOther(t *testing.T) {
	const latency = 3 * time.Second
	bubble(t, docutraytest.Options{Latency: latency}, func(r *rig) {
		s := r.stall()
		r.start()
		jobs := r.dropStalled(s, 20)
		for i := range 100 {
			name := fmt.Sprint(i, ".pdf")
			d := r.file(name, pdf(name), "invoice")
			between(t, "answer late", r.late(d, latency), 0, 2*time.Second)
			time.Sleep(7 * time.Second)
		}
		least, most := 1000, 0
		for _, job := range jobs {
			least, most = min(least, s.questions(job)), max(most, s.questions(job))
		}
		t.Logf("stalled jobs were asked for %d to %d times in 20 min", least, most)
		if least < 5 || most > least+3 {
			t.Errorf("stalled jobs were asked for %d to %d times", least, most)
		}
		for _, job := range jobs {
			s.set(job, false)
		}
		r.allFiled(120, 5*time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, 120)
	})
}

// This also holds for one older job, which alone shows that the service answers.
func TestStalledPollsDelayNoOlderJob(t *testing.T) {
	const latency = 20 * time.Minute
	bubble(t, docutraytest.Options{Latency: latency}, func(r *rig) {
		s := r.stall()
		r.start()
		r.drop("good.pdf", pdf("good"), "invoice")
		r.dropStalled(s, 20)
		d := r.reaches("good.pdf", store.Filed, time.Hour)
		between(t, "answer late", r.late(d, latency), 0, r.cfg.PollMax+time.Second)
		between(t, "times asked", s.questions(d.JobID), 40, 1_000_000)
		// A new one need not wait until the others were found out about.
		begun := time.Now()
		r.drop("new.pdf", pdf("new"), "invoice")
		r.until(time.Minute, "a job", func() bool { return r.doc("new.pdf").JobID != "" })
		between(t, "took", time.Since(begun), 0, time.Second)
	})
}

// A job whose polls are answered again is polled like any other.
func TestStalledJobThatRecovers(t *testing.T) {
	bubble(t, docutraytest.Options{Latency: 20 * time.Minute}, func(r *rig) {
		s := r.stall()
		r.start()
		r.drop("good.pdf", pdf("good"), "invoice") // which shows that the service is there
		jobs := r.dropStalled(s, 12)
		time.Sleep(4 * time.Minute)
		s.set(jobs[0], false)
		before := s.questions(jobs[0])
		r.until(3*time.Minute, "asked again", func() bool { return s.questions(jobs[0]) > before })
		before = s.questions(jobs[0])
		r.pass(2 * time.Minute)
		between(t, "times asked", s.questions(jobs[0])-before, 3, 1_000_000)
	})
}

// A job that was parked by an earlier run is polled by one goroutine.
func TestParkedJobOfAnEarlierRunIsPolledOnce(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.admitted("scan.pdf", pdf("x"))
		r.submitting(1)
		r.accepted(1, "job")
		must(t, r.store.PollLater(bg, 1, "no answer", time.Now(), 1))
		var now, most atomic.Int64
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			if !strings.HasSuffix(req.URL.Path, "/job") {
				return false
			}
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return answerStatus(w, "job", "PROCESSING")
		})
		r.start()
		r.pass(time.Minute)
		same(t, "polls at a time", most.Load(), 1)
	})
}

// Parked jobs that the service works on for long do not keep the others from being
// polled.
func TestParkedJobsThatTakeLongDelayNoOther(t *testing.T) {
	const long, short = 2 * parkedPlaces, 4
	bubble(t, docutraytest.Options{}, func(r *rig) {
		var healed atomic.Bool
		slow := make(map[string]bool)
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			job := path.Base(req.URL.Path)
			switch {
			case req.Method == http.MethodPost || !strings.Contains(req.URL.Path, "status"):
				return false
			case !healed.Load():
				return refuse(w, 500, "Internal server error")
			}
			return slow[job] && answerStatus(w, job, "PROCESSING")
		})
		r.start()
		r.dropNumbered(long + short)
		parked := func(d store.Document) bool { return d.State == store.Pending && !d.RetryAt.IsZero() }
		r.until(10*time.Minute, "all parked", func() bool {
			for i := range long + short {
				if !parked(r.doc(fmt.Sprint(i, ".pdf"))) {
					return false
				}
			}
			return true
		})
		for i := range long {
			slow[r.doc(fmt.Sprint(i, ".pdf")).JobID] = true
		}
		healed.Store(true)
		r.allFiled(short, 15*time.Minute)
		same(t, "jobs", r.service.Stats().Jobs, long+short)
	})
}

// Trouble of a job is forgotten with its document.
func TestTroubleOfAJobEndsWithItsDocument(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.Contains(req.URL.Path, "status") && refuse(w, 500, "Internal server error")
		})
		r.start()
		r.drop("scan.pdf", pdf("x"), "invoice")
		r.held(store.HoldService, 3*time.Minute)
		r.drop("scan.pdf", "nothing that needs the service", "")
		r.reaches("scan.pdf", store.Failed, time.Minute)
		r.held("", 10*time.Minute)
	})
}

// A poll that always fails does not keep other jobs, and in the end it is given
// up as well.
func TestPollThatAlwaysFailsDelaysNoOther(t *testing.T) {
	bubble(t, docutraytest.Options{}, func(r *rig) {
		r.start()
		r.drop("bad.pdf", pdf("bad"), "invoice")
		bad := r.reaches("bad.pdf", store.Pending, time.Second).JobID
		r.intercept(func(w http.ResponseWriter, req *http.Request) bool {
			return strings.HasSuffix(req.URL.Path, bad) && refuse(w, 500, "Internal server error")
		})
		for i := range 130 {
			begun := time.Now()
			name := fmt.Sprintf("%d.pdf", i)
			r.file(name, pdf(name), "invoice")
			between(t, name, time.Since(begun), 0, 5*time.Second)
			time.Sleep(30 * time.Second)
		}
		d := r.reaches("bad.pdf", store.Filed, time.Minute)
		same(t, "attempts", d.Attempts, 2)
	})
}
