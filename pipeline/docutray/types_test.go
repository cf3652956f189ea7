package docutray

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

func TestDocumentTypes(t *testing.T) {
	var types []docutraytest.DocumentType
	for i := range 47 {
		types = append(types, docutraytest.DocumentType{CodeType: fmt.Sprint("t", i), Name: "N", IsDraft: i == 3, Status: "S"})
	}
	sim := docutraytest.New(docutraytest.Options{Types: types})
	got, err := newClient(t, serve(t, sim).URL).DocumentTypes(t.Context())
	if err != nil || len(got) != 47 || got[46].Code != "t46" || !got[3].Draft || got[0].Status != "S" {
		t.Fatalf("%d types, %v", len(got), err)
	}
	if n := sim.Stats().Requests; n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// TestClockSkew is read from the service's answer.
func TestClockSkew(t *testing.T) {
	sim := docutraytest.New(docutraytest.Options{})
	for _, off := range []time.Duration{0, time.Hour, -time.Hour} {
		c := newClient(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(-off).UTC().Format(http.TimeFormat))
			sim.ServeHTTP(w, r)
		})).URL)
		_, err := c.DocumentTypes(t.Context())
		if got := c.ClockSkew(); err != nil || (got-off).Abs() > 30*time.Second {
			t.Errorf("%v, not %v; %v", got, off, err)
		}
	}
}

func TestDocumentTypesEndless(t *testing.T) {
	n := 0
	answer := func(page func() string) *Client {
		n = 0
		return newClient(t, "https://service.invalid", func(c *Config) {
			c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				n++
				return answering(200, nil, page())(r)
			})
		})
	}
	c := answer(func() string { return fmt.Sprintf(`{"data":[{"codeType":"c%d"}]}`, n) })
	if e := asError(t, second(c.DocumentTypes(t.Context()))); e.Class != Service || n != maxTypePages {
		t.Errorf("%v after %d pages", e, n)
	}
	c = answer(func() string { return `{"data":[{"codeType":"a"},{"codeType":""},{"codeType":"a"}]}` }) // ignores the page number
	if list, err := c.DocumentTypes(t.Context()); err != nil || len(list) != 1 || n != 2 {
		t.Errorf("%v %v after %d pages", list, err, n)
	}
}
