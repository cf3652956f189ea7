package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{7}, 0.5, 7}, {[]float64{3, 1, 2}, 0.5, 2}, {[]float64{4, 1, 2, 3}, 0.5, 2.5},
		{[]float64{1, 2}, 1, 2}, {[]float64{1, 2}, 0, 1}, {[]float64{0, 10}, 0.9, 9},
	} {
		if got := quantileOf(c.values, c.q); got != c.want {
			t.Errorf("%v at %v: %v, not %v", c.values, c.q, got, c.want)
		}
	}
}

func TestShort(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1234.5: "1234", 12.345: "12.3", 1.2345: "1.23", 0.012345: "0.0123", -1.2345: "-1.23"} {
		if got := short(x); got != want {
			t.Errorf("%v: %s, not %s", x, got, want)
		}
	}
}

// TestCountSyncs: a call is counted once, where it begins, by what it is for.
func TestCountSyncs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	text := `10 fdatasync(7</h/docusort.db-wal>) = 0
11 fsync(9</h/sorted/invoice> <unfinished ...>
10 fsync(8</h/inbox/scan-1.pdf>) = 0
11 <... fsync resumed>) = 0
12 fsync(8</h/inbox/scan-2.pdf (deleted)>) = -1 EIO (Input/output error)
12 fsync(3</h/docusort.db>) = 0
13 +++ exited with 0 +++
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	trace, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer trace.Close()
	var c syncCounts
	if err := c.count(trace, siteAt("/h")); err != nil || c != (syncCounts{database: 2, folders: 1, files: 2}) {
		t.Errorf("%+v %v", c, err)
	}
}
