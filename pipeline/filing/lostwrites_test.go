package filing

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A document whose content did not reach the disk is not moved, even where
// somebody else was told so by the filesystem before. The disk is a file in a
// memory that has become full.
func TestContentThatTheDiskLost(t *testing.T) {
	base := mounted(t)
	if base == "" {
		t.Skip("not allowed to mount")
	}
	must(t, unix.Mount("none", base, "tmpfs", unix.MS_REMOUNT, "size=24m"))
	image, disk := filepath.Join(base, "image"), filepath.Join(base, "disk")
	must(t, os.Mkdir(disk, 0o755))
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 64<<20))
	for _, command := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "nodiscard", image},
		{"mount", "-o", "loop,errors=continue", image, disk},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%s: %v: %s", command[0], err, out)
		}
	}
	t.Cleanup(func() { must(t, unix.Unmount(disk, unix.MNT_DETACH)) })

	s := &several{world: world{t: t, mv: Move{Root: filepath.Join(disk, "inbox"), Sorted: filepath.Join(disk, "sorted")}}}
	must(t, os.MkdirAll(s.mv.Root, 0o755))
	must(t, os.MkdirAll(filepath.Join(s.mv.Sorted, "type"), 0o755))
	small := func(i int) []byte { return bytes.Repeat([]byte{byte(i + 1)}, 2000) }
	large := bytes.Repeat([]byte("lost "), 2<<20/5)
	for i := range fewContents {
		s.moves = append(s.moves, s.document(s.mv.Root, fmt.Sprint(i), small(i)))
	}
	unix.Sync()
	_ = os.WriteFile(filepath.Join(base, "filler"), make([]byte, 24<<20), 0o600) // as far as it goes
	s.moves = append(s.moves, s.document(s.mv.Root, "lost", large))
	d, err := openRoot(disk)
	must(t, err)
	defer d.close()
	if err := syncFolder(d, unix.Syncfs); err == nil {
		t.Skip("the disk lost nothing, or the kernel does not tell")
	} else {
		t.Log("somebody else was told:", err)
	}

	for i := range s.moves {
		mv := &s.moves[i]
		mv.Sorted, mv.Target, mv.Tag = s.mv.Sorted, "type/"+mv.Source, mv.Source
	}
	for i, err := range s.moveAll(s.mover(nil)) {
		if lost := i == len(s.moves)-1; lost != (err != nil) {
			t.Errorf("document %d: %v", i, err)
		}
	}
	if s.count("fsync source") > 0 {
		t.Error("synced one by one")
	}
	s.mv.Root = filepath.Join(disk, "inbox")
	s.only(large, filepath.Join(s.mv.Root, "lost"))
}
