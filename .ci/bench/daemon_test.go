package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestAllFiled: a document that is anywhere but in the folder of a type is not
// filed.
func TestAllFiled(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  bool
	}{
		"filed":   {[]string{"sorted/invoice/a.pdf", "sorted/letter/b.pdf"}, true},
		"left":    {[]string{"sorted/invoice/a.pdf", "inbox/b.pdf"}, false},
		"failed":  {[]string{"sorted/invoice/a.pdf", "sorted/_failed/b.pdf"}, false},
		"lost":    {[]string{"sorted/invoice/a.pdf"}, false},
		"doubled": {[]string{"sorted/invoice/a.pdf", "sorted/invoice/b.pdf", "sorted/invoice/b-2.pdf"}, false},
	} {
		s := siteAt(t.TempDir())
		for _, file := range append(c.files, "inbox/.keep", "sorted/.keep") {
			path := filepath.Join(s.home, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.allFiled(2); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
