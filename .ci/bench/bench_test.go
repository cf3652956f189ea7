package main

import (
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
