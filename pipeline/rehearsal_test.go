package pipeline

import (
	"time"

	"docusort/store"
)

// rehearsal is a scheduler with a service, in a time of its own: nothing runs at once
// and nothing waits, so that a seed decides everything.
type rehearsal struct {
	scheduler *scheduler
	now       time.Time
	clock     func(took time.Duration) time.Duration // what the service says of how long a job took
	answers   []answer                               // under way, the first first
}

// attempt is what became of one job.
type attempt struct {
	began time.Time
	took  time.Duration
	asked []time.Time
	late  float64 // as a part of the time it took
}

type answer struct {
	job *job
	at  time.Time
}

// tripTime is how long a question is on its way, and its answer.
const tripTime = time.Millisecond

// newRehearsal has the settings' defaults.
func newRehearsal() *rehearsal { return newRehearsalAt(500*time.Millisecond, 30*time.Second) }

func newRehearsalAt(shortest, longest time.Duration) *rehearsal {
	p := &Pipeline{slotFreed: newSignal()}
	p.PollMin, p.PollMax = shortest, longest
	return &rehearsal{scheduler: newScheduler(p), now: time.Now(), clock: func(took time.Duration) time.Duration { return took }}
}

// run has jobs that take these times begin one after the other, as fast as they are
// uploaded and as there are places. It returns them when all are over.
func (l *rehearsal) run(every time.Duration, times []time.Duration) (all []*attempt) {
	const uploadTime, places = 3 * time.Millisecond, 100
	upload, over := l.now, 0
	for over < len(times) {
		for len(all) < len(times) && len(all)-over < places && !upload.After(l.now) {
			upload = l.now.Add(max(every, uploadTime))
			all = append(all, &attempt{began: l.now, took: times[len(all)]})
			l.scheduler.add(store.Document{ID: int64(len(all)), SubmittedAt: l.now}, l.now)
		}
		for j := l.scheduler.take(l.now); j != nil; j = l.scheduler.take(l.now) {
			l.answers = append(l.answers, answer{j, l.now.Add(2 * tripTime)})
		}
		at := l.scheduler.nextDue()
		if len(all) < len(times) && len(all)-over < places && (at.IsZero() || upload.Before(at)) {
			at = upload
		}
		if len(l.answers) == 0 || !at.IsZero() && at.Before(l.answers[0].at) {
			l.now = later(at, l.now)
			l.scheduler.suspectUnanswered(l.now)
			continue
		}
		a := l.answers[0]
		l.answers, l.now = l.answers[1:], a.at
		j, t := a.job, all[a.job.doc.ID-1]
		served := l.now.Add(-tripTime)
		t.asked = append(t.asked, served)
		j.awaited.Store(back)
		j.sent, j.said = served.Add(-tripTime).Sub(t.began), unfinished
		if late := served.Sub(t.began) - t.took; late >= 0 {
			t.late = float64(late) / float64(t.took)
			j.over, j.said, j.took = true, finished, l.clock(t.took)
			over++
		}
		l.scheduler.told(j, l.now)
	}
	return all
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
