package filing

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The power goes right after the folders were synced, or right before: what was
// moved together is whole, at its target or at its source.
func TestPowerCutAfterABatch(t *testing.T) {
	for _, last := range []bool{true, false} {
		t.Run(fmt.Sprint("folders synced ", last), func(t *testing.T) {
			base := t.TempDir()
			image, disk := filepath.Join(base, "image"), filepath.Join(base, "disk")
			must(t, os.Mkdir(disk, 0o755))
			must(t, os.WriteFile(image, nil, 0o600))
			must(t, os.Truncate(image, 64<<20))
			run := func(command ...string) {
				t.Helper()
				if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
					t.Skipf("%s: %v: %s", command[0], err, out)
				}
			}
			run("mkfs.ext4", "-q", "-F", image)
			run("mount", "-o", "loop,commit=300,noauto_da_alloc", image, disk)
			t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })

			s := &several{world: world{t: t, mv: Move{Root: filepath.Join(disk, "inbox"), Sorted: filepath.Join(disk, "sorted")}}}
			must(t, os.Mkdir(s.mv.Root, 0o755))
			must(t, os.Mkdir(s.mv.Sorted, 0o755))
			unix.Sync()
			var files []File
			for i := range 12 {
				mv := s.document(s.mv.Root, fmt.Sprint(i), s.contentOf(i))
				mv.Sorted, mv.Target, mv.Tag = s.mv.Sorted, fmt.Sprintf("type%d/%d", i%5, i), fmt.Sprint(i)
				s.moves = append(s.moves, mv)
				files = append(files, File{mv.Root, mv.Source}, File{mv.Sorted, mv.Target})
			}
			m := s.mover(nil)
			must(t, errors.Join(s.moveAll(m)...))
			if last {
				must(t, errors.Join(m.SyncFoldersOf(files)...))
			}
			cutPower(t, disk)
			must(t, unix.Unmount(disk, 0))
			run("mount", "-o", "loop", image, disk)
			t.Log(s.ops)
			for i, mv := range s.moves {
				if last {
					s.only(s.contentOf(i), s.at(mv))
				} else {
					same(t, "places of the content", len(s.holding(s.contentOf(i))), 1)
				}
			}
		})
	}
}

// cutPower ends an ext4 without writing what it has in memory.
func cutPower(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	const shutdown, withoutLog = 0x8004587d, 2
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, withoutLog); err != nil {
		t.Skip("no way to cut the power:", err)
	}
}
