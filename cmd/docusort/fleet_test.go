package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

var prometheus = flag.String("prometheus", "", "the `program` that TestFleetInPrometheus asks")

// monitor is a Prometheus that scrapes daemons.
type monitor struct {
	t   *testing.T
	url string
}

// watch starts one with the alert rules and the daemons' addresses.
func watch(t *testing.T, addresses ...string) monitor {
	t.Helper()
	rules, err := filepath.Abs("../../systemd/alerts.yml")
	noErr(t, err)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	targets, err := json.Marshal(addresses)
	noErr(t, err)
	noErr(t, os.WriteFile(config, fmt.Appendf(nil, "global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}\n"+
		"rule_files: [%s]\nscrape_configs:\n  - job_name: docusort\n    static_configs: [{targets: %s}]\n", rules, targets), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	noErr(t, err)
	address := free.Addr().String()
	noErr(t, free.Close())
	cmd := exec.Command(*prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stderr = t.Output()
	noErr(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return monitor{t, "http://" + address}
}

// sample is one line of an answer.
type sample struct {
	Metric map[string]string
	Value  [2]any // the time, and the value as text
}

// ask returns the answer to an expression of the dashboard.
func (m monitor) ask(expression string) ([]sample, error) {
	expression = strings.NewReplacer("$job", ".*", "$instance", ".*", "$__rate_interval", "1m", "$__range", "1h").Replace(expression)
	var answer struct {
		Status, Error string
		Data          struct{ Result []sample }
	}
	err := m.get("/api/v1/query?query="+url.QueryEscape(expression), &answer)
	if err == nil && answer.Status != "success" {
		err = fmt.Errorf("%s: %s", expression, answer.Error)
	}
	return answer.Data.Result, err
}

func (m monitor) get(path string, answer any) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(m.url + path)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}

// alerts returns the instances for which each alert is pending or firing.
func (m monitor) alerts() map[string][]string {
	m.t.Helper()
	var answer struct {
		Data struct {
			Alerts []struct{ Labels map[string]string }
		}
	}
	noErr(m.t, m.get("/api/v1/alerts", &answer))
	all := map[string][]string{}
	for _, a := range answer.Data.Alerts {
		all[a.Labels["alertname"]] = append(all[a.Labels["alertname"]], a.Labels["instance"])
	}
	return all
}

// expressions returns those of the dashboard's panels, by title.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../systemd/grafana-dashboard.json")
	noErr(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	noErr(t, json.Unmarshal(text, &dashboard))
	all := map[string][]string{}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], target.Expr)
		}
	}
	return all
}

// TestFleetInPrometheus: the dashboard and the alerts tell two daemons and one that does
// not answer apart, and what is worst stands first.
func TestFleetInPrometheus(t *testing.T) {
	if *prometheus == "" {
		t.Skip("no -prometheus")
	}
	var addresses []string
	var held *world
	for i := range 2 {
		w := newWorldIn(t, fastDir(t), docutraytest.Options{})
		w.settings["DOCUSORT_HTTP_ADDR"] = "127.0.0.1:0"
		w.drop("a.pdf", pdf(invoice, fmt.Sprint(i)))
		c := w.start("run")
		w.waitAllDone()
		addresses = append(addresses, strings.TrimPrefix(waitStatusPage(t, c), "http://"))
		t.Cleanup(func() { w.stop(c) })
		held = w
	}
	held.api.SetAccount(docutraytest.AccountKeyRevoked, time.Time{})
	held.drop("b.pdf", pdf(invoice, "held"))
	held.waitHold("account")
	addresses = append(addresses, "127.0.0.1:1") // nothing listens there
	m := watch(t, addresses...)
	worst := expressions(t)["Machines, the worst first"]
	poll(t, "all that is worst", func() bool {
		rows, err := m.ask("sort_desc(" + worst[0] + ")")
		return err == nil && len(rows) == 3 && rows[0].Metric["instance"] == addresses[2] && rows[1].Metric["instance"] == addresses[1]
	})
	poll(t, "the alerts", func() bool {
		alerts := m.alerts()
		return fmt.Sprint(alerts["DocusortAccountHold"], alerts["DocusortDown"]) == fmt.Sprintf("[%s] [%s]", addresses[1], addresses[2])
	})
	for title, all := range expressions(t) {
		for _, expression := range all {
			if _, err := m.ask(expression); err != nil {
				t.Errorf("%s: %v", title, err)
			}
		}
	}
	for _, expression := range worst[1:] {
		poll(t, "a row for each daemon: "+expression, func() bool {
			rows, err := m.ask(expression)
			return err == nil && len(rows) == 2
		})
	}
	for title, want := range map[string]string{"Health": "0", "Unfinished": "1", "Stuck": "0"} {
		rows, err := m.ask(expressions(t)[title][0])
		noErr(t, err)
		if len(rows) != 1 || rows[0].Value[1] != want {
			t.Errorf("%s of all: %v, want %s", title, rows, want)
		}
	}
}
