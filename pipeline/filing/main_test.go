package filing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an inbox and a sorted folder with one document on its way.
type world struct {
	t       *testing.T
	content []byte
	mv      Move
}

// wholeContent is a document of two buffers.
var wholeContent = bytes.Repeat([]byte("whole content "), (copyBuffer+copyBuffer/4)/14)

const documentMode = 0o640

var documentTime = time.Date(2019, 3, 4, 5, 6, 7, 123456789, time.UTC)

// newWorld puts the inbox and the sorted folder on one filesystem, or on two.
func newWorld(t *testing.T, across bool) *world {
	t.Helper()
	return newWorldIn(t, fastDir(t), across)
}

func newWorldIn(t *testing.T, base string, across bool) *world {
	t.Helper()
	root, sorted := filepath.Join(base, "inbox"), filepath.Join(base, "sorted")
	if across {
		sorted = filepath.Join(otherFilesystem(t, filepath.Dir(root)), "sorted")
	}
	content := bytes.Clone(wholeContent)
	must(t, os.MkdirAll(filepath.Join(root, "a"), 0o755))
	must(t, os.Mkdir(sorted, 0o755))
	w := &world{t: t, content: content}
	w.mv = w.document(root, "a/scan.pdf", content)
	w.mv.Sorted, w.mv.Target, w.mv.Tag = sorted, "invoice/scan.pdf", "7"
	return w
}

// document writes a file into the inbox and describes it.
func (w *world) document(root, rel string, content []byte) Move {
	w.t.Helper()
	path := filepath.Join(root, rel)
	must(w.t, os.WriteFile(path, content, documentMode))
	must(w.t, os.Chmod(path, documentMode))
	must(w.t, os.Chtimes(path, documentTime, documentTime))
	id, err := Stat(root, rel)
	must(w.t, err)
	sum := sha256.Sum256(content)
	return Move{Root: root, Source: rel, Identity: id, SHA256: sum[:]}
}

func (w *world) source() string { return filepath.Join(w.mv.Root, w.mv.Source) }
func (w *world) target() string { return filepath.Join(w.mv.Sorted, w.mv.Target) }

// holding returns where, beneath inbox and sorted, files of that content are,
// temporaries included.
func (w *world) holding(content []byte) []string {
	w.t.Helper()
	var found []string
	for _, root := range []string{w.mv.Root, w.mv.Sorted} {
		must(w.t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			if got, err := os.ReadFile(path); err == nil && bytes.Equal(got, content) {
				found = append(found, path)
			}
			return nil
		}))
	}
	return found
}

// only asserts that the content is at that place, nowhere else, and that no
// temporary is left.
func (w *world) only(content []byte, want string) {
	w.t.Helper()
	if got := w.holding(content); !slices.Equal(got, []string{want}) {
		w.t.Fatalf("content is at %q, want only %q", got, want)
	}
	w.tidy()
}

func (w *world) tidy() {
	w.t.Helper()
	for _, root := range []string{w.mv.Root, w.mv.Sorted} {
		must(w.t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err == nil && IsTemporary(e.Name()) {
				w.t.Errorf("left over: %s", path)
			}
			return err
		}))
	}
}

// filed asserts that the document is whole at the target and nowhere else,
// with its mode and time.
func (w *world) filed() {
	w.t.Helper()
	w.only(w.content, w.target())
	if mode, modified := w.attributes(); mode != documentMode || !modified.Equal(documentTime) {
		w.t.Errorf("mode %v, time %v; want %v, %v", mode, modified, fs.FileMode(documentMode), documentTime)
	}
}

// attributes returns the mode and the time of the target; zero where it is missing.
func (w *world) attributes() (fs.FileMode, time.Time) {
	info, err := os.Stat(w.target())
	if err != nil {
		return 0, time.Time{}
	}
	return info.Mode().Perm(), info.ModTime()
}

// finish does what a caller does after a failure: ask, then go on.
func (w *world) finish(m *Mover) {
	w.t.Helper()
	outcome, err := m.Resume(context.Background(), w.mv)
	must(w.t, err)
	if outcome == NotStarted {
		err := m.MoveOrCopy(context.Background(), w.mv)
		must(w.t, err)
	} else if outcome != Done {
		w.t.Fatalf("outcome %v", outcome)
	}
	w.filed()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fastDir is a temporary folder where a sync costs nothing, if there is one:
// the walks make tens of thousands.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "filing")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// otherFilesystem returns a new folder on another filesystem than there.
func otherFilesystem(t testing.TB, there string) string {
	t.Helper()
	if dir := mounted(t); dir != "" {
		return dir
	}
	var a, b unix.Stat_t
	must(t, unix.Stat(there, &a))
	for _, candidate := range []string{"/dev/shm", "/run", os.TempDir(), "/var/tmp"} {
		if unix.Stat(candidate, &b) != nil || a.Dev == b.Dev {
			continue
		}
		if dir, err := os.MkdirTemp(candidate, "filing"); err == nil {
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			return dir
		}
	}
	t.Skip("no second filesystem to write to: moves across filesystems are not tested")
	return ""
}

// mountAt mounts a filesystem in memory, or skips the test where that is not allowed.
func mountAt(t *testing.T, dir, options string) {
	t.Helper()
	if err := unix.Mount("none", dir, "tmpfs", 0, options); err != nil {
		t.Skip("may not mount:", err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

// mounted is a new filesystem in memory, or "" where mounting is not allowed.
func mounted(t testing.TB) string {
	t.Helper()
	dir := fastDir(t)
	if unix.Mount("none", dir, "tmpfs", 0, "size=64m,mode=755") != nil {
		return ""
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// terrain is a kind of filesystem: which operations it lacks.
type terrain struct {
	name   string
	across bool
	lacks  map[string]error // by operation
}

func terrains() []terrain {
	noRename := map[string]error{}
	for _, op := range []string{"rename", "put back", "rename copy", "rename new file"} {
		noRename[op] = unix.EINVAL
	}
	noLinks := map[string]error{"link": unix.EPERM}
	bare := map[string]error{"link": unix.EIO} // rclone
	for op, err := range noRename {
		noLinks[op], bare[op] = err, err
		bare[op+" by link"] = unix.EIO
	}
	return []terrain{
		{name: "rename"},
		{name: "link", lacks: noRename},
		{name: "foreign", lacks: noLinks}, // protected_hardlinks
		{name: "bare", lacks: bare},
		{name: "across", across: true},
		{name: "across without renameat2", across: true, lacks: noRename},
		{name: "across to bare", across: true, lacks: bare},
	}
}

// mover returns a Mover on the terrain; fault sees what the terrain has.
func (tr terrain) mover(t *testing.T, fault func(op string, done bool) error) *Mover {
	return NewMover(Options{
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Fault: func(op string, done bool) error {
			if err := tr.lacks[op]; err != nil {
				return err
			}
			if fault != nil {
				return fault(op, done)
			}
			return nil
		},
	})
}

// moverAt acts right before, or after, each operation of that name. An error of it is
// that of the operation.
func moverAt(op string, done bool, act func() error) *Mover {
	return NewMover(Options{Fault: func(now string, isDone bool) error {
		if now == op && isDone == done {
			return act()
		}
		return nil
	}})
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

// MoveOrCopy is Do and, where the content has to be copied, Copy.
func (m *Mover) MoveOrCopy(ctx context.Context, mv Move) error {
	err := m.Do(ctx, mv)
	if errors.Is(err, ErrNeedsCopy) {
		err = m.Copy(ctx, mv)
	}
	return err
}
