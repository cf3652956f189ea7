package status

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"docusort/cmd/docusort/internal/report"
	"docusort/store"
)

// hostile are names that want to be something else.
var hostile = []string{
	`<script>document.title="owned"</script>.pdf`, `<img src=x onerror="document.title='owned'">.pdf`,
	"\u202egpj.exe.pdf", "two\nlines.pdf", "not-utf8-\xff\xfe.pdf", `"><svg onload=alert(1)>.pdf`, "{{.}}${1}`.pdf",
	strings.Repeat("long", 60) + ".pdf", "عقد.pdf", "請求書.pdf",
}

// crowd is a record with something of everything.
func (w *world) crowd() {
	w.t.Helper()
	for i := range 120 {
		w.file(fmt.Sprintf("scanner-%d/Scan_%04d.pdf", i%3, i), fmt.Sprintf("purchase_order_confirmation_%d", i%7))
	}
	for _, name := range hostile {
		w.file(name, "invoice")
	}
	w.fail("notes<b>.docx", `unsupported format: <script>document.title="owned"</script>`)
	w.ok(w.store.Gone(w.ctx, w.drop("taken.pdf"), "taken out of the inbox before it was filed"))
	w.pend("in flight.pdf")
	id := w.drop("refused.pdf")
	w.submit(id)
	w.ok(w.store.Refused(w.ctx, id, store.Refusal{Reason: "503: Internal server error", RetryAt: time.Now().Add(time.Hour)}))
	w.submit(w.drop("uploading.pdf"))
	w.drop("new.pdf")
}

// inert checks that names are shown as text and do nothing.
func (b *browser) inert() {
	b.t.Helper()
	text := eval[string](b, "document.body.innerText + [...document.querySelectorAll('bdi')].map(e => e.textContent).join('\\n')")
	for _, want := range []string{hostile[0], hostile[1], `\xe2\x80\xaegpj.exe.pdf`, `two\x0alines.pdf`, `not-utf8-\xff\xfe.pdf`,
		hostile[5], hostile[6], hostile[7], hostile[8], hostile[9], `unsupported format: <script>`} {
		if !strings.Contains(text, want) {
			b.t.Errorf("%q is not shown", want)
		}
	}
	if strings.Contains(text, "\u202e") {
		b.t.Error("a name turns the direction of the page")
	}
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "docusort") {
		b.t.Errorf("the title is %q", title)
	}
	if twice := eval[string](b, `[...document.querySelectorAll("[id]")].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i).join()`); twice != "" {
		b.t.Errorf("there are two of %s", twice)
	}
	if n := eval[int](b, `document.querySelectorAll("main script, main img, main [onload], main [onerror], main [style]").length`); n != 0 {
		b.t.Errorf("%d names became elements", n)
	}
}

// opens shows the page of a world, which follows what happens.
func (b *browser) opens(w *world) (address string) {
	b.t.Helper()
	_, address = w.serve()
	b.screen(1200, 900)
	b.do(chromedp.Navigate(address + "/"))
	b.shows("it follows", `document.getElementById("link").textContent.includes("updates itself")`)
	return address
}

func TestThePageInABrowser(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.crowd()
	address := b.opens(w)
	b.inert()
	b.fits()
	b.quiet(address)
}

func TestThePageFollows(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.file("first.pdf", "invoice")
	w.file("second.pdf", "invoice")
	address := b.opens(w)
	b.do(chromedp.Evaluate[chromedp.Void](`window.loadedOnce = true; document.querySelector("#documents summary").click();
		document.querySelectorAll("#documents summary")[1].focus()`))
	w.file("third <b>.pdf", "receipt")
	b.shows("the third document", `document.querySelectorAll("#documents .document").length === 3`)
	if !eval[bool](b, `window.loadedOnce === true`) {
		t.Error("the page was loaded again")
	}
	// Newest first: what was opened was the second file, and the focus on the first.
	if got := eval[string](b, `[...document.querySelectorAll("#documents details[open] .name")].map(e => e.textContent).join()`); got != "second.pdf" {
		t.Errorf("open is %q, want the document that was opened", got)
	}
	if got := eval[string](b, `document.activeElement.matches("#documents summary") ? document.activeElement.textContent : document.activeElement.tagName`); !strings.Contains(got, "first.pdf") {
		t.Errorf("the focus is on %q", got)
	}
	w.ok(w.store.SetHold(w.ctx, &store.Hold{Kind: store.HoldAccount, Reason: "402: quota <b>used up</b>", Until: time.Now().Add(time.Hour)}))
	b.shows("the hold", `(document.querySelector("#health [role=alert]") || {textContent: ""}).textContent.includes("402: quota <b>used up</b>")`)
	w.ok(w.store.SetHold(w.ctx, nil))
	b.shows("the end of the hold", `!document.querySelector("#health [role=alert]")`)
	b.quiet(address)
}

// TestALostConnectionShowsAtTheTop: whether the server went, or only says nothing any more.
func TestALostConnectionShowsAtTheTop(t *testing.T) {
	const lost = `(link => link.matches(".lost") && link.getBoundingClientRect().top >= 0 && link.getBoundingClientRect().bottom < 120)(document.getElementById("link"))`
	t.Run("gone", func(t *testing.T) {
		b := newBrowser(t)
		w := newWorld(t)
		w.crowd()
		s, address := w.serve()
		b.screen(1200, 900)
		b.do(chromedp.Navigate(address + "/"))
		b.shows("it follows", `document.getElementById("link").textContent.includes("updates itself")`)
		b.do(chromedp.Evaluate[chromedp.Void](`scrollTo(0, document.body.scrollHeight)`))
		w.ok(s.http.Close())
		b.shows("the loss, however far down", lost)
	})
	t.Run("silent", func(t *testing.T) {
		b := newBrowser(t)
		w := newWorld(t)
		_, address := w.serve()
		b.screen(1200, 900)
		call(b, page.Enable, page.EnableParams{})
		call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `const slow = setTimeout; window.setTimeout = (f, after) => slow(f, after > 9999 ? 200 : after)`})
		b.do(chromedp.Navigate(address + "/"))
		b.shows("the loss", lost)
		b.shows("that it follows again", `document.getElementById("link").textContent.includes("updates itself")`)
	})
}

// TestNamesBeginAtTheLeft: those that are read from right to left as well.
func TestNamesBeginAtTheLeft(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.file("scan.pdf", "invoice")
	w.file("عقد.pdf", "invoice")
	b.opens(w)
	if got := eval[int](b, `new Set([...document.querySelectorAll("#documents .name")].map(name => {
		const range = document.createRange();
		range.selectNodeContents(name);
		return Math.round(range.getBoundingClientRect().left);
	})).size`); got != 1 {
		t.Errorf("names begin at %d places", got)
	}
}

// Whoever has no mouse gets everywhere, in the order of the page.
func TestThePageWithAKeyboard(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.file("first.pdf", "invoice")
	address := b.opens(w)
	var order []string
	for range 40 {
		b.do(chromedp.KeyEvent("\t"))
		got := eval[string](b, `(e => e === document.body ? "" : (e.name || e.textContent || e.ariaLabel).trim().split("\n")[0].slice(0, 24))(document.activeElement)`)
		if got == "" {
			break
		}
		if len(order) > 0 && eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
			t.Errorf("nobody sees that %q has the focus", got)
		}
		order = append(order, got)
	}
	got := strings.Join(order, "|")
	want := "Skip to the documents|1 hour|24 hours|7 days|30 days|all|filed|in review|failed|unfinished|state|type|name|Find documents|" +
		"The numbers|The numbers|invoice|1 filed first.pdf"
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "What the words mean|metrics|health") {
		t.Errorf("the order is\n%s\nwant\n%s…metrics|health", got, want)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#documents summary").focus()`), chromedp.KeyEvent("\r"))
	b.shows("the story", `document.querySelector("#documents details").open && document.querySelector("#documents .events").innerText.includes("found in the inbox: 123 kB")`)
	b.quiet(address)
}

// The page of the report needs no server, and is as safe.
func TestTheReportInABrowser(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.crowd()
	file := filepath.Join(t.TempDir(), "report.html")
	r, err := store.OpenReader(w.ctx, w.path)
	w.ok(err)
	defer r.Close()
	var out bytes.Buffer
	w.ok(report.Write(w.ctx, &out, r, "html", report.Options{Documents: true}))
	w.ok(os.WriteFile(file, out.Bytes(), 0o644))
	b.do(chromedp.Navigate("file://" + file))
	b.inert()
	b.fits()
	b.quiet("file://")
}

// TestPageShowsWhatIsNotTaken: what lies in the inbox for more than a minute, and what is stuck.
func TestPageShowsWhatIsNotTaken(t *testing.T) {
	w := newWorld(t)
	w.stuck("c.pdf")
	w.ok(w.store.SetNotTaken(w.ctx, []store.NotTaken{
		{Path: "half <b>.pdf", Reason: "cut short", Since: time.Now().Add(-time.Hour)}, {Path: "young.pdf", Reason: "empty", Since: time.Now()},
	}))
	_, url := w.serve()
	_, body := w.get(url)
	w.contains(body, "Not taken yet", "half &lt;b&gt;.pdf", "cut short, since", "Stuck because", "not readable &lt;b&gt;", ">stuck</a></dt><dd>1</dd>")
	if resp, body := w.get(url + "/healthz"); resp.StatusCode != 200 || body != `{"status":"ok","stuck":1}`+"\n" {
		t.Errorf("/healthz: %s %s", resp.Status, body)
	}
	if strings.Contains(body, "young.pdf") || strings.Contains(body, "nothing to show") {
		t.Errorf("it says more than it should:\n%s", body)
	}
}
