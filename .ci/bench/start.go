package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// measureStart: a restart is not noticed, however large the record is.
func measureStart(ctx context.Context, b *bench) error {
	empty, err := b.newSite()
	if err != nil {
		return err
	}
	large, err := b.largeRecord(ctx)
	if err != nil {
		return err
	}
	took := make([][]float64, 2)
	sign := ""
	for range pick(b, 7, 3) {
		for i, s := range []*site{empty, large} {
			ready, by, err := b.startUntilReady(ctx, s)
			if err != nil {
				return err
			}
			took[i], sign = append(took[i], ready.Seconds()*1000), by
		}
	}
	b.report("ready, empty record", "≤ 200 ms", "ms", took[0], "until "+sign)
	b.report("ready, large record", "≤ 200 ms", "ms", took[1], fmt.Sprintf("%d documents", b.options.million))
	return nil
}

// readyLog is what docusort logs when it begins to work.
const readyLog = "msg=started "

// startUntilReady starts a daemon as systemd does and returns how long it took
// until it said that it is ready. One that tells systemd nothing is ready when it
// logs that it runs.
func (b *bench) startUntilReady(ctx context.Context, s *site) (took time.Duration, by string, err error) {
	service, err := b.startStandIn(ctx)
	if err != nil {
		return 0, "", err
	}
	path := filepath.Join(s.home, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return 0, "", err
	}
	defer os.Remove(path) // closing leaves it, and the next start needs the name
	defer conn.Close()
	d, err := b.startDaemon(ctx, s, service, "NOTIFY_SOCKET="+path)
	if err != nil {
		return 0, "", err
	}
	ready := make(chan time.Time, 1)
	go func() { ready <- awaitReady(conn) }() // ends when conn is closed
	if _, err := d.awaitLog(ctx, readyLog); err != nil {
		return 0, "", err
	}
	logged := time.Now()
	var told time.Time
	select {
	case told = <-ready:
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
		return 0, "", context.Cause(ctx)
	}
	if err := d.stop(); err != nil {
		return 0, "", err
	}
	if err := service.stop(); err != nil {
		return 0, "", err
	}
	if told.IsZero() {
		return logged.Sub(d.began), "the log says that it runs", nil
	}
	return told.Sub(d.began), "READY=1", nil
}

// awaitReady returns when READY=1 came; never, where conn is closed first.
func awaitReady(conn *net.UnixConn) time.Time {
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return time.Time{}
		}
		for line := range strings.SplitSeq(string(buf[:n]), "\n") {
			if line == "READY=1" {
				return time.Now()
			}
		}
	}
}
