package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestQuantile(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.5: 2.5, 0.9: 3.7, 1: 4} {
		if got := quantile([]float64{4, 1, 2, 3}, q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
}

func TestCountSyncs(t *testing.T) {
	got := countSyncs(`10 fdatasync(7</h/docusort.db-wal>) = 0
11 fsync(9</h/sorted/invoice> <unfinished ...>
10 fsync(8</h/inbox/scan-1.pdf>) = 0
11 <... fsync resumed>) = 0
12 fsync(8</h/inbox/scan-2.pdf (deleted)>) = -1 EIO (Input/output error)
12 fsync(3</h/docusort.db>) = 0
`)
	if want := map[string]int{"database": 2, "folders": 1, "files": 2}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestAllFiled expects an error unless each document is in the folder of a type.
func TestAllFiled(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		fails bool
	}{
		"filed":  {[]string{"sorted/invoice/a.pdf", "sorted/letter/b.pdf"}, false},
		"left":   {[]string{"sorted/invoice/a.pdf", "sorted/invoice/b.pdf", "inbox/c.pdf"}, true},
		"failed": {[]string{"sorted/invoice/a.pdf", "sorted/_failed/b.pdf"}, true},
		"lost":   {[]string{"sorted/invoice/a.pdf"}, true},
		"twice":  {[]string{"sorted/invoice/a.pdf", "sorted/invoice/b.pdf", "sorted/invoice/b-2.pdf"}, true},
	} {
		b := &bench{dir: t.TempDir()}
		s := b.newSite(0, 0)
		for _, file := range c.files {
			path := filepath.Join(s.home, file)
			must(os.MkdirAll(filepath.Dir(path), 0o755))
			must(os.WriteFile(path, nil, 0o644))
		}
		err := b.runCase(t.Context(), func(*bench) { s.allFiled(2) })
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
}
