package gate_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/gate"
)

// Trouble of the account holds submissions at once, and nothing else.
func TestAccountHoldsSubmissions(t *testing.T) {
	for _, status := range []int{401, 402, 403} {
		inBubble(t, 0, func(d *door) {
			var got []time.Duration
			for range probeTimes {
				when, v := d.submit(1, answer(status))
				got = append(got, when)
				same(t, "verdict", v, gate.External)
				d.held(gate.Account)
				when, v = d.poll(2, nil)
				same(t, "a poll", when, d.now())
				same(t, "its verdict", v, gate.Answered)
			}
			same(t, "probes", got, probeTimes)
			same(t, "held", d.SubmissionsHeld(), true)
			when, v := d.submit(1, nil)
			same(t, "success at", when, 1412*time.Second)
			same(t, "verdict", v, gate.Answered)
			d.held("")
			same(t, "held", d.SubmissionsHeld(), false)
			same(t, "the next two", d.times(2, gate.Submission, 2, nil), seconds(1412, 1412))
		})
	}
}

func TestQuotaIsWaitedForUntilItsResetAtMostFiveMinutesAtATime(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		e := answer(402)
		e.ResetAt = d.begun.Add(12 * time.Minute)
		same(t, "probes", d.times(5, gate.Submission, 1, e), seconds(0, 300, 600, 720, 728))
		same(t, "shown until", d.hold().Until, e.ResetAt)
	})
}

// Three submissions in a row that fail although the service answers are no coincidence.
func TestThreeInARowHoldSubmissions(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		for i := range 2 {
			d.verdict(gate.Submission, int64(i), answer(500), gate.ServiceFault)
			d.held("")
		}
		d.submit(3, nil)
		d.times(2, gate.Submission, 1, answer(500))
		d.held("")
		d.submit(2, answer(503))
		d.held(gate.Service)
		same(t, "a poll", d.times(1, gate.Poll, 1, nil), seconds(0))
		same(t, "probes", d.times(4, gate.Submission, 4, answer(500)), seconds(1, 2, 4, 8))
	})
}

// One document that the service always chokes on costs the others nothing.
func TestPoisonousDocumentDelaysNoOther(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		for range 10 {
			d.submit(1, answer(500))
			for i := range int64(3) {
				d.submit(2+i, nil)
				d.poll(2+i, nil)
			}
			d.held("")
		}
		same(t, "took", d.now(), time.Duration(0))
	})
}

// A document that was never tried need not wait for what one document alone has met, and
// never for long.
func TestUntriedDocument(t *testing.T) {
	trouble := func(docs ...int64) func(d *door) {
		return func(d *door) {
			for i := range 12 {
				d.submit(docs[i%len(docs)], answer(500))
			}
		}
	}
	type test struct {
		begin func(d *door)
		told  time.Duration // after the newest probe
		want  time.Duration
	}
	each(t, 0, map[string]test{
		"one alone":         {trouble(1), 0, 0},
		"one alone, later":  {trouble(1), 10 * time.Second, 10 * time.Second},
		"several":           {trouble(1, 2), 0, 30 * time.Second},
		"several, later":    {trouble(1, 2), 10 * time.Second, 30 * time.Second},
		"several, long ago": {trouble(1, 2), 100 * time.Second, 100 * time.Second},
		"the whole account": {func(d *door) { d.submit(2, answer(402)); trouble(1)(d) }, 0, 30 * time.Second},
		"all settings wrong": {func(d *door) {
			for i := range int64(12) {
				d.submit(i%4, answer(400))
			}
		}, 5 * time.Second, 30 * time.Second},
	}, func(t *testing.T, d *door, c test) {
		c.begin(d)
		begun := d.now()
		d.at(begun+c.told, func() { d.Untried(true) })
		p := d.acquire(gate.Submission)
		same(t, "waited", d.now()-begun, c.want)
		same(t, "probe", p.Probe, true)
		d.Untried(false)
		p.Done(d.t.Context(), 9, nil)
		d.held("")
	})
}

func TestOneProbeAtATime(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.submit(1, answer(402))
		first := d.acquire(gate.Submission)
		same(t, "first at", d.now(), time.Second)
		same(t, "first is a probe", first.Probe, true)
		d.Untried(true) // waits for a probe all the same
		d.at(11*time.Second, func() { first.Done(d.t.Context(), 1, nil) })
		for range 2 {
			next := d.acquire(gate.Submission)
			same(t, "next at", d.now(), 11*time.Second)
			same(t, "next is a probe", next.Probe, false)
		}
	})
}

// A probe that teaches nothing leaves the place to another one soon.
func TestProbeThatTeachesNothing(t *testing.T) {
	for name, end := range map[string]func(d *door, p *gate.Permit){
		"released":       func(_ *door, p *gate.Permit) { p.Release() },
		"our side":       func(d *door, p *gate.Permit) { p.Done(d.t.Context(), 1, &docutray.Error{Class: docutray.Local}) },
		"the document's": func(d *door, p *gate.Permit) { p.Done(d.t.Context(), 1, answer(400)) },
		"the service is closed": func(d *door, p *gate.Permit) {
			d.pings(noDial())
			p.Done(d.t.Context(), 1, noDial())
			d.pings(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 0, func(d *door) {
				d.Recall(true, false)
				d.times(10, gate.Submission, 1, answer(402))
				p := d.acquire(gate.Submission)
				begun := d.now()
				end(d, p)
				d.passes(gate.Submission, 2, begun+time.Second)
			})
		})
	}
}

// A permit that has ended says nothing of a probe that another one makes.
func TestReleaseAfterDoneEndsNoOtherProbe(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		d.submit(1, answer(402))
		first := d.acquire(gate.Submission)
		first.Done(d.t.Context(), 1, answer(402))
		second := d.acquire(gate.Submission)
		first.Release()
		d.at(20*time.Second, second.Release)
		d.passes(gate.Submission, 1, 21*time.Second)
	})
}

// What is released without a probe wakes nobody, and ends no other one's.
func TestPermitOfAnEarlierHold(t *testing.T) {
	inBubble(t, 0, func(d *door) {
		under := d.acquire(gate.Submission)
		d.submit(1, answer(402))
		old := d.acquire(gate.Submission)
		under.Done(d.t.Context(), 2, nil) // ends that hold
		d.submit(1, answer(402))          // begins another one
		begun := d.now()
		probe := d.acquire(gate.Submission)
		old.Done(d.t.Context(), 1, &docutray.Error{Class: docutray.Local})
		d.at(begun+20*time.Second, probe.Release)
		d.passes(gate.Submission, 1, begun+21*time.Second)
	})
}

func TestRefusedDocuments(t *testing.T) {
	each(t, 0, map[string]func(t *testing.T, d *door){
		"one among others fails": func(t *testing.T, d *door) {
			d.submit(1, nil)
			for i := range int64(10) {
				d.verdict(gate.Submission, i, answer(400), gate.DocumentFault)
			}
			d.held("")
		},
		"one was accepted in an earlier run": func(t *testing.T, d *door) {
			d.Recall(true, false)
			d.verdict(gate.Submission, 1, answer(400), gate.DocumentFault)
		},
		"a lone one fails the second time": func(t *testing.T, d *door) {
			d.verdict(gate.Submission, 1, answer(400), gate.ServiceFault)
			d.verdict(gate.Submission, 1, answer(400), gate.DocumentFault)
			d.held("")
		},
		"three different ones are a hold": func(t *testing.T, d *door) {
			for i := range int64(3) {
				d.held("")
				d.verdict(gate.Submission, i, answer(400), gate.ServiceFault)
			}
			d.held(gate.Account)
			if h := d.hold(); !strings.Contains(h.Reason, "DOCUSORT_DOCUMENT_TYPES") {
				t.Errorf("hold %+v", h)
			}
			for _, doc := range []int64{1, 1, 9, 9} {
				d.verdict(gate.Submission, doc, answer(400), gate.ServiceFault)
			}
			same(t, "probes until", d.now(), 8*time.Second)
			same(t, "a poll", d.times(1, gate.Poll, 5, nil), seconds(8))
			d.submit(2, nil)
			d.held("")
			d.verdict(gate.Submission, 1, answer(400), gate.DocumentFault)
		},
		"a hold for another reason keeps it": func(t *testing.T, d *door) {
			var under []*gate.Permit
			for range 3 {
				under = append(under, d.acquire(gate.Submission))
			}
			d.submit(1, answer(402))
			for i, p := range under {
				p.Done(d.t.Context(), int64(i), answer(400))
			}
			same(t, "reason", d.hold().Reason, answer(402).Reason())
		},
	}, func(t *testing.T, d *door, test func(*testing.T, *door)) { test(t, d) })
}

// A probe waits for the pace like any other request, and polls go on beside it.
func TestProbesKeepThePace(t *testing.T) {
	inBubble(t, 60, func(d *door) {
		d.submit(1, answer(402))
		polls := make(chan []time.Duration)
		go func() { polls <- d.times(4, gate.Poll, 2, nil) }()
		synctest.Wait()
		d.passes(gate.Submission, 1, 2*time.Second)
		same(t, "polls", <-polls, seconds(1, 3, 4, 5))
	})
}
