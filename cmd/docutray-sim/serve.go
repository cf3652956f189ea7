package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// serve answers on ln until ctx is done, and closes it, with the requests under way.
func serve(ctx context.Context, ln net.Listener, s settings, stderr io.Writer) error {
	sim := docutraytest.New(s.opts)
	srv := &http.Server{
		Handler:           sim,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // dropped connections are intended
	}
	_, _ = fmt.Fprintf(stderr, "docutray-sim: a stand-in, not the DocuTray service; listening on http://%s (seed %d); "+
		"use it with DOCUTRAY_BASE_URL=http://%s DOCUTRAY_API_KEY=%s\n",
		ln.Addr(), s.opts.Seed, dialable(ln.Addr()), s.opts.Key)

	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	err := srv.Close()
	<-failed
	printCounts(stderr, sim.Stats())
	return err
}

// dialable returns the address for a client on this machine. For a listener on
// all addresses it is the loopback address, which may be used with plain http.
func dialable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func printCounts(w io.Writer, st docutraytest.Stats) {
	twice := 0
	for _, n := range st.JobsBySHA256 {
		if n > 1 {
			twice++
		}
	}
	_, _ = fmt.Fprintf(w, "docutray-sim: stopped after %d requests: %d submissions, %d of them complete, %d jobs "+
		"for %d different documents (%d of them with more than one), %d polls, %d requests dropped\n",
		st.Requests, st.Submissions, st.Complete, st.Jobs, len(st.JobsBySHA256), twice, st.Polls, st.Dropped)
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(st.ByStatus)) {
		parts = append(parts, fmt.Sprintf("%s: %d", k, st.ByStatus[k]))
	}
	if len(parts) > 0 {
		_, _ = fmt.Fprintf(w, "docutray-sim: answers %s\n", strings.Join(parts, ", "))
	}
}
