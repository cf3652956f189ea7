package status

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"docusort/store"
)

// listed asks for a list, and returns the names on it and the page.
func (w *world) listed(address, params string) (names []string, body string) {
	w.t.Helper()
	resp, body := w.get(address + "/?" + params)
	if resp.StatusCode != 200 {
		w.t.Fatalf("%s: %s", params, resp.Status)
	}
	for _, part := range strings.Split(body, `<bdi class="name">`)[1:] {
		name, _, _ := strings.Cut(part, "</bdi>")
		names = append(names, name)
	}
	return names, body
}

// TestListsOfDocuments: everything is found, by its state, type, name and time, with how many
// there are in all, however many that is.
func TestListsOfDocuments(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("ü", 120)
	for i := range 230 {
		w.fail(fmt.Sprintf("%s-%03d.docx", long, i), "unsupported format: text")
	}
	w.file("a/scan_1.pdf", "invoice")
	w.file("scanA1.pdf", "<b>receipt")
	w.pend("under way.pdf")
	id := w.pend("taken.pdf")
	w.ok(w.store.Identified(w.ctx, id, store.Answer{Type: "invoice", Confidence: 0.97, Outcome: store.Filed}))
	w.move(id, "invoice/taken-2.pdf")
	id = w.pend("blurred.pdf")
	w.ok(w.store.Identified(w.ctx, id, store.Answer{Type: "invoice", Confidence: 0.3, Outcome: store.Review}))
	w.move(id, "_review/invoice/blurred.pdf")
	w.stuck("locked.pdf")
	_, address := w.serve()
	for params, want := range map[string]string{
		"state=filed":                         "taken.pdf|scanA1.pdf|a/scan_1.pdf",
		"state=filed&type=invoice":            "taken.pdf|a/scan_1.pdf",
		"type=%3Cb%3Ereceipt":                 "scanA1.pdf",
		"name=SCAN_":                          "a/scan_1.pdf", // no pattern
		"name=+TAKEN-2+":                      "taken.pdf",    // the name that it was filed under
		"name=231":                            "a/scan_1.pdf", // its number
		"name=receip":                         "",             // a folder of sorted
		"name=scan&type=invoice&state=filed":  "a/scan_1.pdf",
		"state=unfinished&type=&name=":        "locked.pdf|under way.pdf",
		"state=stuck":                         "locked.pdf",
		"state=review":                        "blurred.pdf",
		"window=1h&state=filed&name=scanA":    "scanA1.pdf",
		"name=%3Cscript%3Ealert(1)%3C/script": "",
	} {
		names, body := w.listed(address, params)
		if got := strings.Join(names, "|"); got != want {
			t.Errorf("%s: %q, want %q", params, got, want)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "<b>receipt") {
			t.Errorf("%s: something is not escaped", params)
		}
	}
	for page, want := range []string{"230 documents, of which these are 1 to 100", "101 to 200", "201 to 230"} {
		names, body := w.listed(address, fmt.Sprintf("state=failed&page=%d", page+1))
		w.contains(body, want, "docusort retry ID", `<option value="failed" selected>`)
		if len(names) != min(100, 230-100*page) || len(body) > 300_000 {
			t.Errorf("page %d has %d documents in %d bytes", page+1, len(names), len(body))
		}
	}
	_, body := w.listed(address, "state=failed&page=2")
	w.contains(body, `href="/?name=&amp;state=failed&amp;type=&amp;window=all">first`, `page=3&amp;state=failed&amp;type=&amp;window=all">next`)
	_, body = w.listed(address, "state=&type=&name=")
	w.contains(body, "236 documents", "under way.pdf")
	for _, params := range []string{"", "state=review"} {
		_, body := w.listed(address, params)
		w.contains(body, "docusort refile ID TYPE", "considered: <bdi>", "<code>docusort refile ")
	}
	if names, body := w.listed(address, ""); len(names) > maxUnderway+lastDocuments+2*lastAside {
		t.Errorf("the overview has %d documents", len(names))
	} else {
		w.contains(body, `The latest of <a href="/?name=&amp;state=failed&amp;type=&amp;window=all">230 documents</a>`,
			`href="/?name=&amp;state=filed&amp;type=&amp;window=24h">filed`, `href="/?name=&amp;state=stuck&amp;type=&amp;window=24h">stuck`, `type=%3Cb%3Ereceipt&amp;window=24h"><bdi>&lt;b&gt;receipt`)
	}
	for _, params := range []string{"state=lost", "page=0", "page=x", "page=10000000", "window=2h&state=filed", "name=" + strings.Repeat("x", 256)} {
		if resp, _ := w.get(address + "/?" + params); resp.StatusCode != 404 {
			t.Errorf("%s: %s", params, resp.Status)
		}
	}
}

// TestManyQuestionsCostAsMuchAsFew: whatever people ask for, reading has its share of the time,
// memory has an end, and health waits for none of it.
func TestManyQuestionsCostAsMuchAsFew(t *testing.T) {
	w := newWorld(t)
	w.file("scan.pdf", "invoice")
	s, address := w.serve()
	for i := range maxViews + 9 {
		w.listed(address, fmt.Sprint("name=", i))
	}
	if n := len(s.cache.views); n != maxViews {
		t.Errorf("%d views are remembered", n)
	}
	s.cache.paidOff = time.Now().Add(burst + time.Hour)
	if names, _ := w.listed(address, "name="+fmt.Sprint(maxViews+8)); names != nil {
		t.Errorf("what was read before is %q", names)
	}
	q, err := parseQuery(url.Values{"name": {"new"}})
	w.ok(err)
	if v, wait := s.cache.viewNow(q, Health{}); v != nil || wait < 59*time.Minute {
		t.Errorf("what was not read waits for %v", wait)
	}
	s.cache.paidOff = time.Now()
	if _, wait := s.cache.viewNow(q, Health{}); wait > 0 || !s.cache.paidOff.After(time.Now()) {
		t.Errorf("reading cost nothing: it waits for %v", wait)
	}
	s.cache.reading.Lock()
	defer s.cache.reading.Unlock()
	if resp, _ := w.get(address + "/healthz"); resp.StatusCode != 200 {
		t.Errorf("health: %s", resp.Status)
	}
}

// TestAListFollows: what is selected stays selected, and what is being typed stays.
func TestAListFollows(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.file("scan-1.pdf", "invoice")
	w.fail("scan-2.docx", "unsupported format: text")
	address := b.opens(w)
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("[name=name]").value = "scan"; document.querySelector("[name=state]").value = "filed";
		document.querySelector(".find button").click()`))
	const names = `[...document.querySelectorAll(".name")].map(e => e.textContent).join()`
	b.shows("the one that was filed", names+` === "scan-1.pdf" && document.getElementById("link").textContent.includes("updates itself")`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("[name=name]").value = "letter"`))
	w.file("other.pdf", "invoice")
	w.file("scan-3.pdf", "invoice")
	b.shows("the new one", names+` === "scan-3.pdf,scan-1.pdf"`)
	if got := eval[string](b, `document.querySelector("[name=name]").value`); got != "letter" {
		t.Errorf("what was typed became %q", got)
	}
	b.fits()
	b.quiet(address)
}
