package status

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the dashboard and the alerts ask for is what there is.
func TestDashboardAndAlertsNameMetricsThatExist(t *testing.T) {
	w := newWorld(t)
	s, url := w.serve()
	s.cfg.Meter.Observe("submit", 202, 0)
	s.cache.tally.filed.WithLabelValues("invoice")
	_, body := w.get(url + "/metrics")
	dir := filepath.Join("..", "..", "..", "..", "systemd")
	named := regexp.MustCompile(`\b(?:docusort|process)_[a-z_]+(?:\{[^}]*\})?`)
	labels := regexp.MustCompile(`(\w+)=~?"`)
	for _, file := range []string{"grafana-dashboard.json", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		w.ok(err)
		if filepath.Ext(file) == ".json" {
			var dashboard struct {
				Panels []struct{ Title, Description string }
			}
			w.ok(json.Unmarshal(text, &dashboard))
			if len(dashboard.Panels) < 10 {
				t.Errorf("%d panels", len(dashboard.Panels))
			}
		}
		found := named.FindAllString(strings.ReplaceAll(string(text), `\"`, `"`), -1)
		if len(found) < 9 {
			t.Errorf("%s names %d metrics", file, len(found))
		}
		for _, m := range found {
			name, rest, _ := strings.Cut(m, "{")
			if !strings.Contains(body, "\n"+name+"{") && !strings.Contains(body, "\n"+name+" ") {
				t.Errorf("%s names %s, which there is not", file, name)
			}
			for _, l := range labels.FindAllStringSubmatch(rest, -1) {
				if l[1] != "job" && l[1] != "instance" && !regexp.MustCompile(name+`\{[^}]*`+l[1]+`="`).MatchString(body) {
					t.Errorf("%s: %s has no label %s", file, name, l[1])
				}
			}
		}
	}
}
