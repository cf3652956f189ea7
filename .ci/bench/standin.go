package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// standIn is a docutray-sim of its own.
type standIn struct {
	*process
	url string
}

// startStandIn starts one with these flags.
func (b *bench) startStandIn(ctx context.Context, flags ...string) (*standIn, error) {
	command := append([]string{b.options.sim, "--listen", "127.0.0.1:0", "--quiet", "--seed", "1"}, flags...)
	p, err := b.start("docutray-sim", nil, command...)
	if err != nil {
		return nil, err
	}
	rest, err := p.awaitLog(ctx, "DOCUTRAY_BASE_URL=")
	if err != nil {
		return nil, err
	}
	url, _, _ := strings.Cut(rest, " ")
	return &standIn{p, url}, nil
}

// client is for looking at stand-ins; it keeps no connection, as the next one
// may listen at the same place.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

func (s *standIn) get(ctx context.Context, path string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return read(resp.Body)
}

// stats returns what it was asked.
func (s *standIn) stats(ctx context.Context) (st docutraytest.Stats, err error) {
	err = s.get(ctx, "/_standin/stats?counts", func(r io.Reader) error { return json.NewDecoder(r).Decode(&st) })
	return st, err
}

// jobs returns when each job was made, ended and told of.
func (s *standIn) jobs(ctx context.Context) (all []docutraytest.JobTimes, err error) {
	err = s.get(ctx, "/_standin/jobs", func(r io.Reader) error {
		for lines := json.NewDecoder(r); ; {
			var j docutraytest.JobTimes
			if err := lines.Decode(&j); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			all = append(all, j)
		}
	})
	return all, err
}
