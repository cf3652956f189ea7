package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// jobLike are jobs as the service's are: some seconds, now and then twice that.
var jobLike = []string{"--latency", "4s", "--sigma", "0.35"}

// lateness returns, for each job, how late its end was seen as a share of its
// time, and how often it was asked for.
func lateness(jobs []docutraytest.JobTimes) (late, asked []float64) {
	for _, j := range jobs {
		late = append(late, 100*j.Answered.Sub(j.Ready).Seconds()/j.Ready.Sub(j.Made).Seconds())
		asked = append(asked, float64(j.Polls))
	}
	return late, asked
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// measureAnswer: answers are seen soon and few questions are spent, with nothing
// set. The first jobs, of which docusort cannot know how long they take, count.
func measureAnswer(ctx context.Context, b *bench) error {
	n := pick(b, 400, 120)
	var median, ninetieth, asked, filed, fixedMedian, fixedAsked []float64
	for range pick(b, 3, 1) {
		jobs, toFolder, err := b.runAnswer(ctx, n)
		if err != nil {
			return err
		}
		late, questions := lateness(jobs)
		median, ninetieth = append(median, quantileOf(late, 0.5)), append(ninetieth, quantileOf(late, 0.9))
		asked, filed = append(asked, mean(questions)), append(filed, quantileOf(toFolder, 0.5))
		if jobs, err = b.runFixed(ctx, n); err != nil {
			return err
		}
		late, questions = lateness(jobs)
		fixedMedian, fixedAsked = append(fixedMedian, quantileOf(late, 0.5)), append(fixedAsked, mean(questions))
	}
	note := fmt.Sprintf("%d jobs a run, of their own time", n)
	b.report("answer seen late, median", "≤ 10 %, sooner than every 2 s", "%", median, note)
	b.report("answer seen late, 9 of 10", "", "%", ninetieth, "")
	b.report("questions", "≤ 6, fewer than every 2 s", "/job", asked, "")
	b.report("seen to filed, median", "", "ms", filed, "")
	b.report("fixed pause of 2 s, late", "", "%", fixedMedian, "")
	b.report("fixed pause of 2 s, questions", "", "/job", fixedAsked, "")
	return nil
}

// runAnswer returns the jobs of docusort, and how long after its answer each
// document was filed, in milliseconds.
func (b *bench) runAnswer(ctx context.Context, n int) (jobs []docutraytest.JobTimes, toFolder []float64, err error) {
	s, err := b.newSite()
	if err != nil {
		return nil, nil, err
	}
	if err := writeDocuments(s.inbox, n, 20_000); err != nil {
		return nil, nil, err
	}
	service, err := b.startStandIn(ctx, jobLike...)
	if err != nil {
		return nil, nil, err
	}
	d, err := b.startDaemon(ctx, s, service)
	if err != nil {
		return nil, nil, err
	}
	if _, err := d.finish(ctx, n, 0); err != nil {
		return nil, nil, err
	}
	if jobs, err = service.jobs(ctx); err != nil {
		return nil, nil, err
	}
	rec, err := openRecord(s.database)
	if err != nil {
		return nil, nil, err
	}
	filed, err := rec.finished(ctx)
	if err = errors.Join(err, rec.Close()); err != nil {
		return nil, nil, err
	}
	for _, j := range jobs {
		toFolder = append(toFolder, filed[j.ID].Sub(j.Answered).Seconds()*1000)
	}
	if err := service.stop(); err != nil {
		return nil, nil, err
	}
	return jobs, toFolder, s.remove()
}

// runFixed does what the public clients do, with as many jobs in flight.
func (b *bench) runFixed(ctx context.Context, n int) ([]docutraytest.JobTimes, error) {
	s, err := b.newSite()
	if err != nil {
		return nil, err
	}
	if err := writeDocuments(s.inbox, n, 20_000); err != nil {
		return nil, err
	}
	service, err := b.startStandIn(ctx, jobLike...)
	if err != nil {
		return nil, err
	}
	if _, _, err := b.runBare(ctx, s, service, "-workers", "100", "-pause", (2 * time.Second).String()); err != nil {
		return nil, err
	}
	jobs, err := service.jobs(ctx)
	if err := errors.Join(err, service.stop()); err != nil {
		return nil, err
	}
	return jobs, s.remove()
}
