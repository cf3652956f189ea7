package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"docusort/store"
)

var berlin = func() *time.Location {
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.FixedZone("CET", 60*60)
	}
	return l
}()

func TestBoundsAreRoundAndFew(t *testing.T) {
	to := time.Date(2026, 3, 30, 14, 7, 30, 0, berlin) // the clock was changed the day before
	for ago, want := range map[time.Duration]string{
		0:                         "13:52 1m0s",
		time.Hour:                 "13:07 1m0s",
		24 * time.Hour:            "14:00 30m0s",
		36 * time.Hour:            "01:00 1h0m0s",
		7 * 24 * time.Hour:        "12:00 3h0m0s",
		30 * 24 * time.Hour:       "12:00 12h0m0s",
		365 * 24 * time.Hour:      "00:00 167h0m0s",
		20 * 365 * 24 * time.Hour: "00:00 4368h0m0s",
	} {
		bounds := Bounds(to.Add(-ago), to)
		if got := bounds[0].Format("15:04 ") + bounds[1].Sub(bounds[0]).String(); got != want {
			t.Errorf("%v ago: begins at %s, want %s", ago, got, want)
		}
	}
}

func TestBoundsHoldWhatTheyAreFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "to"), 0).In(berlin)
		ago := time.Duration(rapid.Int64Range(-3600, 30*365*24*3600).Draw(t, "seconds")) * time.Second
		from := to.Add(-ago)
		bounds := Bounds(from, to)
		if n := len(bounds); n < 2 || n > maxBuckets+3 {
			t.Fatalf("%d bounds", n)
		}
		if ago > 0 && bounds[0].After(from) || !bounds[len(bounds)-1].After(to) {
			t.Fatalf("%v to %v is not within %v to %v", from, to, bounds[0], bounds[len(bounds)-1])
		}
		var buckets []store.Bucket
		for i := 1; i < len(bounds); i++ {
			buckets = append(buckets, store.Bucket{From: bounds[i-1], To: bounds[i]})
			if !bounds[i].After(bounds[i-1]) {
				t.Fatalf("%v comes after %v", bounds[i], bounds[i-1])
			}
		}
		if names := labels(buckets); len(names) > 5 {
			t.Fatalf("%d labels: %v", len(names), names)
		}
	})
}

func TestScaleGoesUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := time.Duration(rapid.Int64Range(0, int64(5000*day)).Draw(t, "lo"))
		hi := lo + time.Duration(rapid.Int64Range(0, int64(5000*day)).Draw(t, "more"))
		s := newScale(lo, hi)
		if len(s) < 2 || s.y(s[0].at) != height || s.y(s[len(s)-1].at) != 0 {
			t.Fatalf("scale %v", s)
		}
		below, above := s.y(lo), s.y(hi)
		if above > below || above < 0 || below > height {
			t.Fatalf("%v is at %v and %v at %v of %v", lo, below, hi, above, s)
		}
	})
}

// elements reads a drawing as XML, and returns its attributes by element.
func elements(t *testing.T, html string) (all []xml.StartElement, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(html))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, text
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, html)
		}
		switch v := token.(type) {
		case xml.StartElement:
			all = append(all, v)
		case xml.CharData:
			text += string(v)
		}
	}
}

func buckets(counts ...int) []store.Bucket {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var out []store.Bucket
	for i, n := range counts {
		b := store.Bucket{From: start.Add(time.Duration(i) * time.Hour), To: start.Add(time.Duration(i+1) * time.Hour), Filed: n, Failed: n / 10}
		if n > 0 {
			b.Latency = &store.Latency{P50: 3 * time.Second, P95: time.Duration(n) * time.Second, Max: time.Hour}
		}
		out = append(out, b)
	}
	return out
}

func TestDrawingsAreWellFormedAndInside(t *testing.T) {
	all := buckets(10, 0, 30, 1, 1200)
	for name, html := range map[string]string{
		"throughput": string(Throughput(all)), "latency": string(Latency(all)), "failures": string(Failures(all)),
	} {
		found, text := elements(t, html)
		boxes := 0
		for _, e := range found {
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
					t.Errorf("%s: the attribute %s", name, a.Name.Local)
				}
			}
			if x, ok := strings.CutSuffix(attr["x"], "%"); e.Name.Local == "rect" && ok && attr["class"] != "rule" {
				boxes++
				left, _ := strconv.ParseFloat(x, 64)
				wide, _ := strconv.ParseFloat(strings.TrimSuffix(attr["width"], "%"), 64)
				top, _ := strconv.ParseFloat(attr["y"], 64)
				high, _ := strconv.ParseFloat(attr["height"], 64)
				if left < 0 || left+wide > 100 || top < 0 || top+high > height+4 || high <= 0 {
					t.Errorf("%s: a box at %v", name, attr)
				}
			}
		}
		if boxes < 3 {
			t.Errorf("%s has %d boxes", name, boxes)
		}
		if !strings.Contains(html, "<desc id=") || !strings.Contains(html, "<table>") || !strings.Contains(text, "1 Nov 04:00 to 05:00") {
			t.Errorf("%s lacks words or numbers:\n%s", name, html)
		}
	}
	if html := string(Throughput(all)); !strings.Contains(html, ">1,200<") || !strings.Contains(html, "1,241 filed, 124 failed; at most 1,320 per interval") {
		t.Errorf("numbers are missing in:\n%s", html)
	}
	if n := strings.Count(string(Throughput(all)), "<g>"); n != 4 {
		t.Errorf("%d columns for 4 hours with documents", n)
	}
}

func TestNothingIsDrawnOfNothing(t *testing.T) {
	for name, html := range map[string]string{
		"Nothing was finished": string(Throughput(nil)), "Nothing was filed": string(Latency(buckets(0, 0))),
		"Nothing failed": string(Failures(buckets(0))),
	} {
		elements(t, html)
		if !strings.Contains(html, name) || strings.Contains(html, "<svg") {
			t.Errorf("got %s", html)
		}
	}
}

// However few of a kind there are, they are seen.
func TestOneFailureIsSeenBesideThousands(t *testing.T) {
	b := buckets(100_000)
	b[0].Failed = 1
	m := regexp.MustCompile(`<rect class="failed"[^>]*height="([0-9.]+)"/></g>`).FindStringSubmatch(string(Throughput(b)))
	if m == nil {
		t.Fatalf("no box in %s", Throughput(b))
	}
	if h, _ := strconv.ParseFloat(m[1], 64); h < 1 {
		t.Errorf("it is %v pixels high", h)
	}
}
