package report

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"docusort/cmd/docusort/internal/report/web"
	"docusort/store"
)

// fetching finds what would make a browser ask for something, or run something.
var fetching = regexp.MustCompile(`(?i)<script|<link|<img|<iframe|<object|<embed|<base|\ssrc=|\shref=|\sstyle=|\son\w+=|url\(|@import|https?://`)

func TestHTMLIsComplete(t *testing.T) {
	record(t, func(f *fixture) {
		f.fill()
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldAccount, Reason: "402: quota used up",
			Since: time.Now(), Until: time.Now().Add(29 * 24 * time.Hour)}))
		f.pass(90 * time.Second)
		text := f.render(writeHTML, Options{Documents: true})
		f.says(text, "<!DOCTYPE html>", "docusort has been running since", "on hold (account) since 02:03 (90 s ago), until 2000-01-31 02:03 (in 28 d)",
			"402: quota used up", "Until that is mended", `<dd>4</dd>`, "half are filed within",
			"Documents finished", "Time to file", "Documents failed", "unsupported format: e-mail", "<bdi>receipt</bdi>",
			"may not be read: permission denied", "9 submissions (1 repeated), 5 polls; 1 answer reused",
			"請求書2026年11月分の控え.pdf", "/srv/docusort/sorted/invoice/again-2.pdf", "docusort refile ID TYPE", "</html>\n", "<style>"+web.Style+"</style>")
		if got := strings.Count(text, `<li class="document"`); got != 15 {
			t.Errorf("%d documents, want 15", got)
		}
		if m := fetching.FindString(strings.ReplaceAll(text, web.Style, "")); m != "" {
			t.Errorf("it is not self-contained: %q", m)
		}
		f.saysNot(web.Style, "url(") // which the policy does not allow
		f.saysNot(f.render(writeHTML, Options{}), `<li class="document"`)
	})
}

func TestHTMLOfNothing(t *testing.T) {
	record(t, func(f *fixture) {
		text := f.render(writeHTML, Options{Documents: true})
		f.says(text, "There is nothing to report yet.")
		f.saysNot(text, "<figure")
		text = f.render(writeHTML, Options{Filter: store.Filter{Type: "<b>x"}})
		f.says(text, "Only documents of type &lt;b&gt;x", "No document matches.")
	})
}

func TestHTMLIsSafeWithAnyName(t *testing.T) {
	record(t, func(f *fixture) {
		const evil = `<script>alert(1)</script>"onload='x' `
		f.file(evil+"\u202egpj.exe\n\xff.pdf", evil, 1)
		f.fail("b"+evil, evil)
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldDisk, Reason: evil, Since: time.Now()}))
		f.ok(f.s.Started(f.ctx, 1))
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldDisk, Reason: evil, Since: time.Now()}))
		text := f.render(writeHTML, Options{Documents: true})
		f.saysNot(text, "<script", "\u202e")
		f.says(strings.ToValidUTF8(text, "not UTF-8"), text, `\xe2\x80\xaegpj.exe\x0a\xff.pdf`)
	})
}
