package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// get asks for a page, as a program outside does.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	noErr(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	noErr(t, err)
	return resp.StatusCode, string(body)
}

var pageURL = regexp.MustCompile(`the status page is ready.*url=(http://127\.0\.0\.1:\d+)/`)

// waitStatusPage waits until a daemon says where its status page is.
func waitStatusPage(t *testing.T, c *child) string {
	t.Helper()
	var m []string
	poll(t, "the log has the address of the status page", func() bool {
		m = pageURL.FindStringSubmatch(c.stderr.String())
		return m != nil
	})
	return m[1]
}

// TestTheStatusPageOfADaemon: the page shows documents, the metrics count requests, neither
// shows the key, and an open connection does not delay the stop.
func TestTheStatusPageOfADaemon(t *testing.T) {
	w := newWorld(t)
	w.settings["DOCUSORT_HTTP_ADDR"] = "127.0.0.1:0"
	w.drop("a.pdf", pdf(invoice, "one"))
	c := w.startDaemon()
	w.waitAllDone()
	url := waitStatusPage(t, c)
	code, health := get(t, url+"/healthz")
	if code != 200 || !strings.Contains(health, `"ok"`) {
		t.Errorf("/healthz: %d %s", code, health)
	}
	_, page := get(t, url+"/")
	checkContains(t, page, "a.pdf", "identified as invoice")
	_, metrics := get(t, url+"/metrics")
	checkContains(t, metrics,
		`docusort_api_requests_total{code="202",operation="submit"} 1`, `docusort_api_requests_total{code="200",operation="status"} `,
		`docusort_documents_unfinished{state="waiting"} 0`, `docusort_healthy 1`)
	if all := health + page + metrics; strings.Contains(all, secretKey) {
		t.Error("the key is shown")
	}
	client := http.Client{Transport: &http.Transport{}}
	events, err := client.Get(url + "/events")
	noErr(t, err)
	defer func() { _ = events.Body.Close(); client.CloseIdleConnections() }()
	_, err = bufio.NewReader(events.Body).ReadString('\n')
	noErr(t, err)
	w.stop(c)
}

// TestTheAddressOfTheStatusPage: one that somebody else has is an error that names the setting.
func TestTheAddressOfTheStatusPage(t *testing.T) {
	w := newWorld(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	noErr(t, err)
	defer func() { _ = taken.Close() }()
	w.settings["DOCUSORT_HTTP_ADDR"] = taken.Addr().String()
	w.run("run").check(t, exitFailed, "address already in use; set DOCUSORT_HTTP_ADDR")
}
