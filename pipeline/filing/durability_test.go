package filing

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What a loss of power would undo is synced before the step that relies on it.
func TestOrderOfSyncs(t *testing.T) {
	for _, c := range []struct {
		across bool
		want   []string
	}{
		{false, []string{"fsync parent folder", "fsync source", "rename"}},
		{true, []string{"write", "utimes", "fsync new file", "close new file", "rename copy", "fsync target folder", "claim", "unlink"}},
	} {
		t.Run(fmt.Sprint("across ", c.across), func(t *testing.T) {
			w := newWorld(t, c.across)
			var ops []string
			m := NewMover(Options{Fault: func(op string, done bool) error {
				if done && slices.Contains(c.want, op) && (len(ops) == 0 || ops[len(ops)-1] != op) {
					ops = append(ops, op)
				}
				return nil
			}})
			move := m.Do
			if c.across {
				move = m.Copy
			}
			must(t, move(t.Context(), w.mv))
			if !slices.Equal(ops, c.want) {
				t.Errorf("%q, want %q", ops, c.want)
			}
		})
	}
}

// disk is an ext4 filesystem in a file, with an inbox and a sorted folder.
type disk struct {
	*several
	image, mount string
}

// newDisk skips the test where no disk can be made.
func newDisk(t *testing.T, base, mountOptions string, makeOptions ...string) *disk {
	t.Helper()
	d := &disk{image: filepath.Join(base, "image"), mount: filepath.Join(base, "disk")}
	must(t, os.Mkdir(d.mount, 0o755))
	must(t, os.WriteFile(d.image, nil, 0o600))
	must(t, os.Truncate(d.image, 64<<20))
	d.several = &several{world: world{t: t, mv: Move{Root: filepath.Join(d.mount, "inbox"), Sorted: filepath.Join(d.mount, "sorted")}}}
	d.run(slices.Concat([]string{"mkfs.ext4", "-q", "-F"}, makeOptions, []string{d.image})...)
	d.run("mount", "-o", mountOptions, d.image, d.mount)
	t.Cleanup(func() { _ = unix.Unmount(d.mount, unix.MNT_DETACH) })
	must(t, os.Mkdir(d.mv.Root, 0o755))
	must(t, os.Mkdir(d.mv.Sorted, 0o755))
	return d
}

func (d *disk) run(command ...string) {
	d.t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		d.t.Skipf("%s: %v: %s", strings.Join(command, " "), err, out)
	}
}

// cutPower ends the filesystem without writing what it has in memory.
func (d *disk) cutPower() {
	d.t.Helper()
	f, err := os.Open(d.mount)
	must(d.t, err)
	defer f.Close()
	const shutdown, withoutLog = 0x8004587d, 2
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, withoutLog); err != nil {
		d.t.Skip("no way to cut the power:", err)
	}
}

// The power goes right after the folders were synced, or right before: what was
// moved together is whole, at its target or at its source.
func TestPowerCutAfterABatch(t *testing.T) {
	for _, last := range []bool{true, false} {
		t.Run(fmt.Sprint("folders synced ", last), func(t *testing.T) {
			d := newDisk(t, t.TempDir(), "loop,commit=300,noauto_da_alloc")
			unix.Sync()
			var files []File
			for i := range 12 {
				d.add(fmt.Sprint(i), fmt.Sprintf("type%d/%d", i%5, i), d.contentOf(i))
				files = append(files, File{d.moves[i].Root, d.moves[i].Source}, File{d.moves[i].Sorted, d.moves[i].Target})
			}
			m := d.mover(nil)
			must(t, errors.Join(d.moveAll(m)...))
			if last {
				must(t, errors.Join(m.SyncFoldersOf(files)...))
			}
			d.cutPower()
			must(t, unix.Unmount(d.mount, 0))
			d.run("mount", "-o", "loop", d.image, d.mount)
			for i, mv := range d.moves {
				if last {
					d.only(d.contentOf(i), d.at(mv))
				} else {
					same(t, "places of the content", len(d.holding(d.contentOf(i))), 1)
				}
			}
		})
	}
}

// A document whose content did not reach the disk is not moved, even where
// somebody else was told so by the filesystem before. The disk is a file in a
// memory that has become full.
func TestContentThatTheDiskLost(t *testing.T) {
	base := fastDir(t)
	mountAt(t, base, "size=24m")
	d := newDisk(t, base, "loop,errors=continue", "-O", "^has_journal", "-E", "nodiscard")
	must(t, os.Mkdir(filepath.Join(d.mv.Sorted, "type"), 0o755))
	for i := range fewContents {
		d.add(fmt.Sprint(i), fmt.Sprint("type/", i), bytes.Repeat([]byte{byte(i + 1)}, 2000))
	}
	unix.Sync()
	_ = os.WriteFile(filepath.Join(base, "filler"), make([]byte, 24<<20), 0o600) // as far as it goes
	large := bytes.Repeat([]byte("lost "), 2<<20/5)
	d.add("lost", "type/lost", large)
	at, err := openRoot(d.mount)
	must(t, err)
	defer at.close()
	if err := syncFolder(at, unix.Syncfs); err == nil {
		t.Skip("the disk lost nothing, or the kernel does not tell")
	} else {
		t.Log("somebody else was told:", err)
	}
	for i, err := range d.moveAll(d.mover(nil)) {
		if lost := i == len(d.moves)-1; lost != (err != nil) {
			t.Errorf("document %d: %v", i, err)
		}
	}
	same(t, "synced one by one", d.count("fsync source"), 0)
	d.only(large, filepath.Join(d.mv.Root, "lost"))
}
