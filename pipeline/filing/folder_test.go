package filing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMakeFolder(t *testing.T) {
	sorted := t.TempDir()
	// By the call itself: os.Chmod has set-group-ID elsewhere.
	must(t, unix.Chmod(sorted, 0o2775))
	m := NewMover(Options{})
	for range 2 {
		must(t, m.MakeFolder(sorted, "_review/invoice"))
	}
	for _, rel := range []string{"_review", "_review/invoice"} {
		var st unix.Stat_t
		must(t, unix.Lstat(filepath.Join(sorted, rel), &st))
		if st.Mode != unix.S_IFDIR|0o2775 {
			t.Errorf("%s has mode %o", rel, st.Mode)
		}
	}
	must(t, os.Symlink("_review", filepath.Join(sorted, "link")))
	must(t, os.WriteFile(filepath.Join(sorted, "file"), nil, 0o644))
	for rel, want := range map[string]error{
		"link":        ErrNotFolder,
		"link/x":      ErrNotFolder,
		"file":        ErrNotFolder,
		"file/x":      ErrNotFolder,
		"../x":        fs.ErrInvalid,
		"/x":          fs.ErrInvalid,
		"_review/../": fs.ErrInvalid,
	} {
		if err := m.MakeFolder(sorted, rel); !errors.Is(err, want) {
			t.Errorf("MakeFolder(%q): %v, want %v", rel, err, want)
		}
	}
	same(t, "made, and nothing through the link", names(t, filepath.Join(sorted, "_review")), "invoice")
	err := m.MakeFolder(filepath.Join(sorted, "none"), "x")
	if !errors.Is(err, ErrNoRoot) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without root: %v", err)
	}
	if _, err := os.Stat(filepath.Join(sorted, "none")); err == nil {
		t.Error("the root was made")
	}
}

// A folder whose name may not be on disk is synced at the next use.
func TestMakeFolderSyncsTheOneAbove(t *testing.T) {
	sorted := t.TempDir()
	syncs, fail := 0, error(unix.EIO)
	m := moverAt("fsync parent folder", false, func() error { syncs++; return fail })
	if err := m.MakeFolder(sorted, "a"); !errors.Is(err, unix.EIO) {
		t.Errorf("error %v", err)
	}
	fail = nil
	for range 3 {
		must(t, m.MakeFolder(sorted, "a"))
	}
	same(t, "syncs, one of them refused", syncs, 2)
	must(t, os.Remove(filepath.Join(sorted, "a")))
	must(t, m.MakeFolder(sorted, "a")) // which may be the same inode
	same(t, "syncs, once it was made again", syncs, 3)
}

func TestRemoveEmptyFolder(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "real/empty"), 0o755))
	must(t, os.Symlink("real", filepath.Join(root, "link")))
	must(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o644))
	for _, c := range []struct {
		rel  string
		want bool
	}{
		{"a", false}, {"a/b", true}, {"a/b", false}, {"a", true}, {"none/x", false}, {"file", false},
		{"link", false}, {"link/empty", false}, {".", false}, {"", false}, {"file/x", false},
	} {
		if got, err := RemoveEmptyFolder(root, c.rel); got != c.want || err != nil {
			t.Errorf("RemoveEmptyFolder(%q) = %v, %v", c.rel, got, err)
		}
	}
	same(t, "left", names(t, root), "file link real")
	if _, err := RemoveEmptyFolder(root, "../x"); err == nil {
		t.Error("outside: no error")
	}
}

func TestWriteFile(t *testing.T) {
	for _, tr := range terrains() {
		t.Run(tr.name, func(t *testing.T) {
			sorted := t.TempDir()
			m := tr.mover(t, nil)
			must(t, m.WriteFile(sorted, "a/x.json", []byte("data"), 0o664))
			path := filepath.Join(sorted, "a/x.json")
			info, err := os.Stat(path)
			must(t, err)
			if got, _ := os.ReadFile(path); string(got) != "data" || info.Mode() != 0o664 {
				t.Errorf("%q, %v", got, info.Mode())
			}
			must(t, os.Symlink(filepath.Join(sorted, "elsewhere"), filepath.Join(sorted, "a/link")))
			for _, there := range []string{"a/x.json", "a/link"} {
				if err := m.WriteFile(sorted, there, []byte("new"), 0o664); !errors.Is(err, fs.ErrExist) {
					t.Errorf("over %s: %v", there, err)
				}
			}
			if got, _ := os.ReadFile(path); string(got) != "data" || names(t, filepath.Join(sorted, "a")) != "link x.json" {
				t.Errorf("%q, %s", got, names(t, filepath.Join(sorted, "a")))
			}
		})
	}
}

func TestWriteFileFailsOnce(t *testing.T) {
	for _, tr := range terrains() {
		for _, after := range []bool{false, true} {
			for _, crash := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/after=%v/crash=%v", tr.name, after, crash), func(t *testing.T) {
					walk(t, func(t *testing.T, n int) (fired bool) {
						sorted := fastDir(t)
						fault := failing(n, after, unix.ENOSPC, &fired, t.Log)
						if crash {
							fault = crashing(n, after, &fired, t.Log)
						}
						err := tr.mover(t, fault).WriteFile(sorted, "a/x", []byte("data"), 0o644)
						if err != nil && !crash {
							if _, serr := os.Lstat(filepath.Join(sorted, "a/x")); serr == nil {
								t.Errorf("there in spite of %v", err)
							}
						}
						if got, rerr := os.ReadFile(filepath.Join(sorted, "a/x")); rerr == nil && string(got) != "data" && tr.lacks["rename new file by link"] == nil {
							t.Errorf("half a file: %q", got)
						}
						again := tr.mover(t, nil).WriteFile(sorted, "a/x", []byte("data"), 0o644)
						if again != nil && !errors.Is(again, fs.ErrExist) {
							t.Error(again)
						}
						same(t, "left", names(t, filepath.Join(sorted, "a")), "x")
						got, rerr := os.ReadFile(filepath.Join(sorted, "a/x"))
						must(t, rerr)
						same(t, "content", string(got), "data")
						return fired
					})
				})
			}
		}
	}
}
