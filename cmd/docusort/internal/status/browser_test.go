package status

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"docusort/cmd/docusort/internal/report"
	"docusort/store"
)

var shots = flag.String("shots", "", "write pictures of the pages to this folder, to look at")

// browser is a Chromium of a test's own. What it complains about, and whom it
// asks, is written down.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	asked      map[string]bool // hosts
}

// newBrowser starts one; without Chromium the test is skipped.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium on PATH; on Debian: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WSURLReadTimeout(deadline))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	b := &browser{t: t, ctx: ctx, asked: make(map[string]bool)}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for it to go
		cancel()
		cancelAllocator()
	})
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return b
}

// note writes down what happens.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprintf("console: %v", e.Type))
	case *page.EventJavascriptDialogOpening:
		b.complaints = append(b.complaints, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil {
			b.asked[u.Scheme+"://"+u.Host] = true
		}
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// run returns what an action gives.
func run[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// call makes a call of the protocol.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns what an expression is on the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression))
}

// shows waits until an expression is true.
func (b *browser) shows(what, expression string) {
	b.t.Helper()
	for end := time.Now().Add(deadline); !eval[bool](b, expression); {
		if time.Now().After(end) {
			b.t.Fatalf("not within %v: %s; the page says:\n%s", deadline, what, eval[string](b, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// quiet checks that there was nothing to complain about, and that nobody but
// the one host was asked.
func (b *browser) quiet(host string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the browser says: %s", c)
	}
	for h := range b.asked {
		if h != host {
			b.t.Errorf("%s was asked", h)
		}
	}
}

// screen sets how large the window is, and whether it is dark.
func (b *browser) screen(width, height int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// shoot takes pictures of a page for people to look at, who ask with -shots.
func (b *browser) shoot(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	for _, s := range []struct {
		name  string
		width int64
		dark  bool
	}{{"desktop", 1200, false}, {"phone", 360, false}, {"dark", 1200, true}, {"phone-dark", 360, true}} {
		b.screen(s.width, 1700, s.dark)
		b.keep(name+"-"+s.name+".png", run(b, chromedp.CaptureScreenshot()))
		b.keep(name+".pdf", run(b, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4))))
	}
}

func (b *browser) keep(name string, data []byte) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(*shots, name), data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// fits checks that nothing needs to be scrolled sideways on any screen.
func (b *browser) fits() {
	b.t.Helper()
	for _, width := range []int64{320, 360, 768, 1200} {
		b.screen(width, 800, false)
		wide := eval[string](b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 &&
			!e.closest(".scroll, .hidden, .skip, svg")).map(e => e.tagName + "." + e.className).slice(0, 5).join(" ")`)
		if got := eval[int64](b, "document.documentElement.scrollWidth"); got > width || wide != "" {
			b.t.Errorf("at %d pixels the page is %d wide, because of %q", width, got, wide)
		}
	}
}

// hostile are names that want to be something else.
var hostile = []string{
	`<script>document.title="owned"</script>.pdf`, `<img src=x onerror="document.title='owned'">.pdf`,
	"\u202egpj.exe.pdf", "two\nlines.pdf", "not-utf8-\xff\xfe.pdf", `"><svg onload=alert(1)>.pdf`, "{{.}}${1}`.pdf",
	strings.Repeat("long", 60) + ".pdf", "عقد.pdf", "請求書.pdf",
}

// crowd is a record with something of everything.
func (w *world) crowd() {
	w.t.Helper()
	w.history(1500, 30*time.Hour)
	for _, name := range hostile {
		w.file(name, "invoice")
	}
	w.fail("notes<b>.docx", `unsupported format: <script>document.title="owned"</script>`)
	w.ok(w.store.Gone(w.ctx, w.drop("taken.pdf"), "taken out of the inbox before it was filed"))
	w.pend("in flight.pdf")
	id := w.drop("refused.pdf")
	w.ok(w.store.Submitting(w.ctx, id, []string{"invoice"}))
	w.ok(w.store.Refused(w.ctx, id, store.Refusal{Reason: "503: Internal server error", RetryAt: time.Now().Add(time.Hour)}))
	w.ok(w.store.Submitting(w.ctx, w.drop("uploading.pdf"), []string{"invoice"}))
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

func TestThePageInABrowser(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.crowd()
	_, address := w.serve()
	b.screen(1200, 900, false)
	b.do(chromedp.Navigate(address + "/"))
	b.shows("it follows", `document.getElementById("link").textContent.includes("updates itself")`)
	b.inert()
	b.fits()
	b.shoot("status")
	b.quiet(address)
}

func TestThePageFollows(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.file("first.pdf", "invoice")
	w.file("second.pdf", "invoice")
	_, address := w.serve()
	b.screen(1200, 900, false)
	b.do(chromedp.Navigate(address + "/"))
	b.shows("it follows", `document.getElementById("link").textContent.includes("updates itself")`)
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

// Whoever has no mouse gets everywhere, in the order of the page.
func TestThePageWithAKeyboard(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.file("first.pdf", "invoice")
	_, address := w.serve()
	b.screen(1200, 900, false)
	b.do(chromedp.Navigate(address + "/"))
	b.shows("it follows", `document.getElementById("link").textContent.includes("updates itself")`)
	var order []string
	for range 20 {
		b.do(chromedp.KeyEvent("\t"))
		got := eval[string](b, `(e => e === document.body ? "" : (e.textContent || e.ariaLabel).trim().split("\n")[0].slice(0, 24))(document.activeElement)`)
		if got == "" {
			break
		}
		if len(order) > 0 && eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
			t.Errorf("nobody sees that %q has the focus", got)
		}
		order = append(order, got)
	}
	got := strings.Join(order, "|")
	want := "Skip to the documents|1 hour|24 hours|7 days|30 days|all|The numbers|The numbers|filed first.pdf"
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "metrics|health") {
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
	r2, err := store.OpenReader(w.ctx, w.path)
	w.ok(err)
	defer r2.Close()
	if *shots != "" {
		out.Reset()
		w.ok(report.Write(w.ctx, &out, r2, "html", report.Options{}))
		w.ok(os.WriteFile(file, out.Bytes(), 0o644))
		b.do(chromedp.Navigate("file://" + file))
		b.shoot("report")
	}
}
