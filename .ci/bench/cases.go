package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// defaultSettle is the default of DOCUSORT_SETTLE.
const defaultSettle = 5 * time.Second

// small shows what it costs to store and check every step.
func (b *bench) small() {
	w := workload{n: pick(b, 10_000, 800), size: 20_000, settings: brisk, workers: 16}
	b.beside(w, float64(w.n), "document")
}

// large shows that memory does not depend on the size of documents, and that only
// the upload takes time.
func (b *bench) large() {
	w := workload{n: 16, size: pick(b, 60_000_000, 20_000_000), settings: brisk, workers: 16}
	b.beside(w, float64(w.n)*float64(w.size)/1e6, "MB")
}

// beside compares docusort with the bare loop over so many units.
func (b *bench) beside(w workload, units float64, unit string) {
	for range b.pairs {
		ours, bare := b.file(w), b.bare(w)
		b.add("speed, share of the bare loop's", "", bare.took.Seconds()/ours.took.Seconds())
		b.add("speed, docusort", unit+"/s", units/ours.took.Seconds())
		b.add("speed, bare loop", unit+"/s", units/bare.took.Seconds())
		b.add("CPU, docusort", "ms/"+unit, ours.msPer(units))
		b.add("CPU, bare loop", "ms/"+unit, bare.msPer(units))
		b.add("peak memory, docusort", "MB", ours.peak)
		b.add("peak memory, bare loop", "MB", bare.peak)
	}
}

// backlog shows that a document costs the same whatever waits behind it.
func (b *bench) backlog() {
	for range pick(b, 2, 1) {
		for _, n := range []int{pick(b, 1000, 500), pick(b, 100_000, 5000)} {
			o := b.file(workload{n: n, size: 2_000, settings: append(slices.Clone(brisk), "DOCUSORT_SETTLE="+defaultSettle.String())})
			b.add(fmt.Sprintf("first upload, %d documents", n), "s after settling", (o.wait - defaultSettle).Seconds())
			b.add(fmt.Sprintf("CPU, %d documents", n), "ms/document", o.msPer(float64(n)))
			b.add(fmt.Sprintf("peak memory, %d documents", n), "MB", o.peak)
		}
	}
}

// flight shows what a document costs where few are under way and share little. In
// the bare loop 16 workers each wait for their job.
func (b *bench) flight() {
	const latency, jobs = 2 * time.Second, 16
	w := workload{n: pick(b, 480, 80), size: 20_000, every: latency / jobs, workers: jobs, pause: latency,
		service: docutraytest.Options{Latency: latency}}
	for range pick(b, 3, 1) {
		ours, bare := b.file(w), b.bare(w)
		b.add("CPU, docusort", "ms/document", ours.msPer(float64(w.n)))
		b.add("CPU, bare loop", "ms/document", bare.msPer(float64(w.n)))
	}
}

// answer shows how late documents come into their folders, and how many polls that
// takes. The other side polls at a fixed pause, as the public clients do.
func (b *bench) answer() {
	w := workload{n: pick(b, 400, 120), size: 20_000, workers: 100, pause: 2 * time.Second,
		service: docutraytest.Options{Latency: 4 * time.Second, Sigma: 0.35}}
	for range pick(b, 3, 1) {
		b.addLateness("docusort", b.file(w))
		b.addLateness("fixed pause", b.bare(w))
	}
}

func (b *bench) addLateness(who string, o *outcome) {
	var late, share []float64
	polls := 0
	for _, u := range o.uploads {
		wait := o.filed[u.Filename].Sub(u.At.Add(u.Took)).Seconds()
		late = append(late, wait*1000)
		share = append(share, 100*wait/u.Took.Seconds())
		polls += u.Polls
	}
	b.add(who+": answer to folder", "ms", quantile(late, 0.5))
	b.add(who+": … of the job's time", "%", quantile(share, 0.5))
	b.add(who+": … nine of ten within", "%", quantile(share, 0.9))
	b.add(who+": polls", "/job", float64(polls)/float64(len(o.uploads)))
}

// limits shows how much docusort uses of a limit that it must find out by itself.
func (b *bench) limits() {
	const windows = 2
	limit, window := pick(b, 600, 200), pick(b, time.Minute, 20*time.Second)
	for _, burst := range []int{0, 50} {
		kind := map[int]string{0: "window", 50: "bucket"}[burst]
		s := b.newSite((windows+1)*limit, 2_000)
		d := b.start(s, docutraytest.Options{Latency: 2 * time.Second, Sigma: 0.35,
			RateLimit: limit, RateWindow: window, RateBurst: burst})
		d.until("upload", time.Minute, func() bool { return d.posts.Load() > 0 })
		b.sleep(windows * window)
		st := d.api.Stats()
		d.stop()
		b.add(kind+": used of the limit", "%", 100*float64(st.Requests-st.Refused)/float64(windows*limit+burst))
		b.add(kind+": refused of the requests", "%", 100*float64(st.Refused)/float64(st.Requests))
		s.remove()
	}
}

// quiet starts a daemon with default settings that has filed one document.
func (b *bench) quiet() *daemon {
	d := b.start(b.newSite(1, 20_000), docutraytest.Options{})
	d.awaitFiled(1)
	return d
}

// drop shows what docusort adds to the settle time.
func (b *bench) drop() {
	d := b.quiet()
	n := pick(b, 40, 12)
	written := map[string]time.Time{}
	for i := 1; i <= n; i++ {
		b.sleep(time.Duration(200+rand.IntN(1800)) * time.Millisecond)
		written[d.site.drop(i, 20_000)] = time.Now()
	}
	d.awaitFiled(n + 1)
	d.stop()
	for _, u := range d.api.Uploads()[1:] {
		b.add("drop to upload", "ms after settling", (u.At.Sub(written[u.Filename])-defaultSettle).Seconds()*1000)
	}
	d.site.remove()
}

// rest shows that a daemon with nothing to do is not noticed.
func (b *bench) rest() {
	d := b.quiet()
	b.sleep(10 * time.Second) // for what the document left to do
	before, began := usageOf(d.cmd.Process.Pid), time.Now()
	b.sleep(pick(b, 2*time.Minute, 30*time.Second))
	after, minutes := usageOf(d.cmd.Process.Pid), time.Since(began).Minutes()
	b.add("CPU, in steps of 10 ms", "ms/min", (after.cpu-before.cpu).Seconds()*1000/minutes)
	b.add("wake-ups of all threads", "/min", (after.wakeups-before.wakeups)/minutes)
	b.add("memory", "MB", after.memory)
	d.stop()
	d.site.remove()
}
