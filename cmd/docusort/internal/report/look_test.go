package report

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"docusort/store"
)

var look = flag.Int("look", -1, "print a full report with colours in so many columns, to look at")

// TestLook shows what a person sees: go test -run TestLook -look 80 .
func TestLook(t *testing.T) {
	if *look < 0 {
		t.Skip("it is for people, who ask with -look 80")
	}
	record(t, func(f *fixture) {
		f.fill()
		f.crowd(150)
		until := time.Now().Add(29 * 24 * time.Hour)
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldAccount, Since: time.Now().Add(-3 * time.Minute), Until: until,
			Reason: "402: the quota of 5000 documents is used up until 1 February"}))
		f.pass(95 * time.Second)
		fmt.Fprint(os.Stdout, f.render(Table, Options{Documents: true, Width: *look, Color: *look > 0}))
	})
}

var lookHTML = flag.String("look-html", "", "write a full report as HTML to this file, to look at")

// TestLookHTML is the same for a browser.
func TestLookHTML(t *testing.T) {
	if *lookHTML == "" {
		t.Skip("it is for people, who ask with -look-html FILE")
	}
	record(t, func(f *fixture) {
		f.fill()
		for range 40 {
			f.crowd(12)
			f.pass(50 * time.Minute)
		}
		text := f.render(HTML, Options{Documents: true, Filter: store.Filter{Since: time.Now().Add(-36 * time.Hour)}})
		f.ok(os.WriteFile(*lookHTML, []byte(text), 0o644))
	})
}

// crowd adds n documents of all sorts.
func (f *fixture) crowd(n int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"invoice", "receipt", "contract", "delivery_note", "purchase_order_confirmation_of_suppliers", "other"}
	for i := range n {
		f.pass(time.Duration(rnd.IntN(5000)) * time.Millisecond)
		name := fmt.Sprintf("scanner-%d/Scan_2026-11-%02d_%04d.pdf", i%3, 1+i%28, i)
		switch kind := kinds[rnd.IntN(len(kinds))]; i % 12 {
		case 3:
			f.fail(name, fmt.Sprintf("the service could not read it: page %d is blank or too dark to be told apart from others", i))
		case 5:
			f.move(f.identify(name, kind, rnd.Float64()/2, store.Review), "_review/"+kind+fmt.Sprintf("/Scan-%d.pdf", i))
		case 7:
			f.pend(name)
		default:
			f.file(name, kind, 0.7+rnd.Float64()*0.3)
		}
	}
	f.file("evil\x1b[2J\x1b]0;owned\a\u202efdp.exe\n1  filed  fake.pdf", "invoice", 1)
	f.file("not-utf8-\xff\xfe.pdf", "invoice", 1)
	f.file("각각-decomposed-한글-été-👨‍👩‍👧-❤️.pdf", "other", 1)
}
