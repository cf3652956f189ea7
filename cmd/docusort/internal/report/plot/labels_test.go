package plot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"docusort/store"
)

// TestLabelsOfTheTimeAxis: however short the span is, the axis says which day and hour it is.
func TestLabelsOfTheTimeAxis(t *testing.T) {
	now := time.Date(2026, 3, 29, 14, 7, 30, 0, berlin) // the clock was changed at 2:00
	for ago, want := range map[time.Duration]string{
		4 * time.Second:      "19 13:55 29 Mar|50 14:00|81 14:05",
		time.Hour:            "13 13:15 29 Mar|38 13:30|62 13:45|87 14:00",
		24 * time.Hour:       "20 18:00 28 Mar|45 00:00 29 Mar|65 06:00|90 12:00",
		47 * time.Hour:       "21 00:00 28 Mar|46 12:00|71 00:00 29 Mar",
		7 * 24 * time.Hour:   "21 24 Mar 2026|49 26 Mar|77 28 Mar",
		160 * 24 * time.Hour: "0 20 Oct 2025|35 15 Dec|70 9 Feb 2026",
		900 * 24 * time.Hour: "0 Oct 2023|39 Oct 2024|79 Oct 2025",
	} {
		var buckets []store.Bucket
		bounds := Bounds(now.Add(-ago), now)
		for i := 1; i < len(bounds); i++ {
			buckets = append(buckets, store.Bucket{From: bounds[i-1], To: bounds[i]})
		}
		var got []string
		for _, l := range labels(buckets) {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%.0f %s %s", l.X, l.Text, l.Below)))
		}
		if text := strings.Join(got, "|"); text != want {
			t.Errorf("%v:\n%s\nwant\n%s", ago, text, want)
		}
	}
}
