package filing

import (
	"os"
	"path/filepath"
	"testing"
)

// A file stays the one that it was whatever is written into it; one that was made later is
// another, even if it got its inode.
func TestStill(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "a"))
	must(t, err)
	defer f.Close()
	other, err := os.Create(filepath.Join(dir, "b"))
	must(t, err)
	defer other.Close()
	was, err := Stat(dir, "a")
	must(t, err)
	if !was.Still(f) {
		t.Skip("this filesystem does not say when a file was made")
	}
	_, err = f.WriteString("changed")
	must(t, err)
	must(t, os.Rename(f.Name(), filepath.Join(dir, "c")))
	if !was.Still(f) || was.Still(other) {
		t.Errorf("changed and renamed it is the same: %v; so is another: %v", was.Still(f), was.Still(other))
	}
	if was.ChangeTime -= 1e9; was.Still(f) { // of a file that had the inode a second before
		t.Error("a file that was made later is the same")
	}
}
