package filing

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSyncFolderOf(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "a/b"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o644))
	for _, rel := range []string{"x", "a/x", "a/b/x", "a/gone/too/x", "gone/x", "file/x"} {
		if err := syncFolderOf(root, rel); err != nil {
			t.Errorf("%s: %v", rel, err)
		}
	}
	for _, rel := range []string{"", "../x", "/x"} {
		if err := syncFolderOf(root, rel); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", rel, err)
		}
	}
	if err := syncFolderOf(filepath.Join(root, "away"), "x"); !errors.Is(err, ErrNoRoot) {
		t.Errorf("without the root: %v", err)
	}
}

// The way beneath a root may be as long as a path may be; the whole is longer then.
func TestSyncFolderOfLongPath(t *testing.T) {
	root := t.TempDir()
	deep := strings.Repeat(strings.Repeat("d", 249)+"/", 16) + strings.Repeat("d", 90)
	in, err := os.OpenRoot(root)
	must(t, err)
	defer in.Close()
	must(t, in.MkdirAll(deep, 0o755))
	if n := len(root + "/" + deep); n < 4096 || SyncFolders(root+"/"+deep) == nil {
		t.Fatalf("%d bytes are no long path", n)
	}
	must(t, syncFolderOf(root, deep+"/x"))
}

// A folder that may be written to and not read.
func TestSyncFolderOfClosedFolder(t *testing.T) {
	root := publicDir(t)
	must(t, os.Mkdir(filepath.Join(root, "drop"), 0o755))
	must(t, os.Chmod(filepath.Join(root, "drop"), 0o733))
	asNobody(t, func() {
		if err := syncFolderOf(root, "drop/x"); err != nil {
			t.Error(err)
		}
	})
	must(t, os.Chmod(root, 0o711))
	asNobody(t, func() {
		if err := syncFolderOf(root, "drop/x"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("where none above can be read either: %v", err)
		}
	})
}
