package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestSecretKeptFromAnswers: a key that the service sends back in an answer or a redirect
// gets into nothing that is written, and to nobody else.
func TestSecretKeptFromAnswers(t *testing.T) {
	heard := make(chan string, 1000)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		heard <- fmt.Sprint(r.Method, r.URL, r.Header)
	}))
	t.Cleanup(elsewhere.Close)
	answers := map[string]func(rw http.ResponseWriter, r *http.Request){
		"401": echoKey(401), "400": echoKey(400), "403": echoKey(403), "402": echoKey(402), "500": echoKey(500), "415": echoKey(415), "429": echoKey(429),
		"202 with no id": echoKey(202),
		"307": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere.URL+"/?key="+secretKey, http.StatusTemporaryRedirect)
		},
		"302": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, elsewhere.URL+"/"+secretKey, http.StatusFound)
		},
		"job named by the key": func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(http.StatusAccepted)
			fmt.Fprintf(rw, `{"id":%q,"status":"ENQUEUED"}`, secretKey)
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			asked, once := make(chan struct{}), sync.Once{}
			w.api.SetIntercept(func(rw http.ResponseWriter, r *http.Request) bool {
				once.Do(func() { close(asked) })
				answer(rw, r)
				return true
			})
			w.drop("scan.pdf", pdf(invoice, "one"))
			c := w.start("run")
			<-asked
			w.waitFor("the answer is known", func(r *reportJSON) bool {
				return r.Daemon.Hold != nil || len(r.Documents) == 1 && (r.Documents[0].Error != nil || r.Documents[0].JobID != nil)
			})
			for _, format := range []string{"table", "json"} {
				w.start("report", "--documents", "--format", format).waitExit(exitDone) // looked at by checkSecret
			}
			w.stop(c)
			w.checkSecret()
			select {
			case request := <-heard:
				t.Errorf("somebody else heard %s", request)
			default:
			}
		})
	}
}

// echoKey answers with the key wherever a client may look.
func echoKey(status int) func(rw http.ResponseWriter, r *http.Request) {
	return func(rw http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Authorization")
		rw.Header().Set("X-Request-ID", key)
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		fmt.Fprintf(rw, `{"message":"bad key %s","errors":[%q],"error":%q,"detail":%q}`, key, key, key, key)
	}
}

// TestSecretKeptFromCrashes: neither a panic nor an abort prints the key.
func TestSecretKeptFromCrashes(t *testing.T) {
	for _, how := range []string{"panic", "abort"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			w.jobsStay.Store(how == "abort")
			d := injection{}
			if how == "panic" {
				d = injection{Step: stepPosted, N: 1, Panic: true}
			}
			w.drop("scan.pdf", pdf(invoice, "one"))
			c := w.childInjected(d, "run")
			c.cmd.Env = append(c.cmd.Env, "GOTRACEBACK=crash")
			// No core: that is the system's to keep from others.
			c.begin()
			if how == "abort" {
				w.waitState("pending", 1)
				c.signal(syscall.SIGABRT)
			}
			if code := c.wait(); code == exitDone || !strings.Contains(c.stderr.String(), "goroutine ") {
				t.Errorf("it ended with %d and said %s", code, c.stderr.String())
			}
			w.checkSecret()
		})
	}
}
