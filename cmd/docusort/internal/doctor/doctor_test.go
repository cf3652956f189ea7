package doctor

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"docusort/cmd/docusort/internal/settings"
	"docusort/store"

	"golang.org/x/sys/unix"
)

func noErr(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// disk is a disk with blocks of one byte.
func disk(of unix.Statfs_t) func(string, *unix.Statfs_t) error {
	of.Bsize = 1
	return func(_ string, st *unix.Statfs_t) error { *st = of; return nil }
}

// healthy is a place where nothing is wrong.
func healthy(t *testing.T) Doctor {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	d := Doctor{
		Settings: &settings.Settings{Home: home, Inbox: filepath.Join(home, "inbox"), Sorted: filepath.Join(home, "sorted"),
			Database: filepath.Join(home, "docusort.db"), Recursive: true},
		inotifyLimits: filepath.Join(home, "limits"),
		statfs:        disk(unix.Statfs_t{Bavail: 1 << 40, Ffree: 1 << 20, Files: 1 << 20}),
	}
	for _, dir := range []string{d.Inbox, d.Sorted, d.inotifyLimits} {
		noErr(t, os.MkdirAll(dir, 0o755))
	}
	noErr(t, os.WriteFile(filepath.Join(d.inotifyLimits, "max_user_watches"), []byte("100\n"), 0o644))
	s, err := store.Open(context.Background(), store.Config{Path: d.Database})
	noErr(t, err)
	noErr(t, s.Close())
	return d
}

func text(results []Result) string {
	var b bytes.Buffer
	_ = Write(&b, results, false)
	return b.String()
}

// says checks that a report has all of these in it.
func says(t *testing.T, report string, want ...string) {
	t.Helper()
	for _, part := range want {
		if !strings.Contains(report, part) {
			t.Errorf("no %q in\n%s", part, report)
		}
	}
}

func TestHealthy(t *testing.T) {
	d := healthy(t)
	results := d.Check(context.Background())
	got := text(results)
	says(t, got, "✓ home ", "✓ inbox ", "✓ sorted ", "✓ moves ", "on one filesystem", "✓ space ", "1.1 TB free",
		"✓ inotify ", "1 of at most 100", "✓ database ", "is whole; no daemon runs")
	if AnyWrong(results) || strings.Contains(got, "\x1b") {
		t.Errorf("something is wrong:\n%s", got)
	}
	var b bytes.Buffer
	noErr(t, Write(&b, []Result{OK("a", "b\nc\x1b"), Wrong("long", "d")}, true))
	if want := "\x1b[32m✓\x1b[0m a     b c\\x1b\n\x1b[31m✗\x1b[0m long  d\n"; b.String() != want {
		t.Errorf("in colour: %q, want %q", b.String(), want)
	}
}

// problems are what may be wrong, each with what is reported.
var problems = []struct {
	name  string
	harm  func(t *testing.T, d *Doctor)
	says  []string
	fixed bool // by Fix
	root  bool // root does not notice it
}{
	{name: "inbox is a file", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.Remove(d.Inbox))
		noErr(t, os.WriteFile(d.Inbox, nil, 0o644))
	}, says: []string{"✗ inbox", "is not a folder", "DOCUSORT_INBOX"}},
	{name: "inbox was known and is missing", harm: func(t *testing.T, d *Doctor) {
		s, err := store.Open(context.Background(), store.Config{Path: d.Database})
		noErr(t, err)
		_, err = s.Admit(context.Background(), store.Admission{Inbox: store.Folder{Path: d.Inbox}, Source: "a", Blocked: "no"})
		noErr(t, err)
		noErr(t, s.Close())
		noErr(t, os.Remove(d.Inbox))
	}, says: []string{"✗ inbox", "is its disk mounted?", "run 'docusort relocate'"}},
	{name: "inbox is closed to us", harm: func(t *testing.T, d *Doctor) { noErr(t, os.Chmod(d.Inbox, 0o500)) },
		says: []string{"✗ inbox", "mode 0500", "the right to read, write and search"}, fixed: true, root: true},
	{name: "folder of a type is closed to us", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.Mkdir(filepath.Join(d.Sorted, "invoice"), 0o500))
	}, says: []string{"✗ sorted", "sorted/invoice cannot be written"}, fixed: true, root: true},
	{name: "folder of a type is a link", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.Symlink("/", filepath.Join(d.Sorted, "invoice")))
	}, says: []string{"✗ sorted", "sorted/invoice: a link is not written through"}},
	{name: "missing, and cannot be made", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.Remove(d.Sorted))
		noErr(t, os.Chmod(d.Home, 0o500))
		t.Cleanup(func() { _ = os.Chmod(d.Home, 0o700) })
	}, says: []string{"✗ sorted", "cannot make it in"}, root: true, fixed: true},
	{name: "no room", harm: func(_ *testing.T, d *Doctor) {
		d.statfs = disk(unix.Statfs_t{Bavail: 1 << 20, Ffree: 1 << 20, Files: 1 << 20})
	}, says: []string{"✗ space", "1.0 MB free only"}},
	{name: "no inodes", harm: func(_ *testing.T, d *Doctor) {
		d.statfs = disk(unix.Statfs_t{Bavail: 1 << 40, Ffree: 7, Files: 1 << 20})
	}, says: []string{"✗ space", "7 more files"}},
	{name: "read-only", harm: func(_ *testing.T, d *Doctor) {
		d.statfs = disk(unix.Statfs_t{Bavail: 1 << 40, Flags: unix.ST_RDONLY})
	}, says: []string{"✗ space", "mounted read-only"}},
	{name: "too many folders", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.WriteFile(filepath.Join(d.inotifyLimits, "max_user_watches"), []byte("2\n"), 0o644))
		noErr(t, os.MkdirAll(filepath.Join(d.Inbox, "a", "b"), 0o755))
	}, says: []string{"✗ inotify", "3 folders", "2 be watched", "max_user_watches"}},
	{name: "nearly too many folders", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.WriteFile(filepath.Join(d.inotifyLimits, "max_user_watches"), []byte("3\n"), 0o644))
		noErr(t, os.MkdirAll(filepath.Join(d.Inbox, "a", "b"), 0o755))
	}, says: []string{"✗ inotify", "3 folders", "3 be watched"}},
	{name: "a document that is larger than the disk", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.WriteFile(filepath.Join(d.Inbox, "large.pdf"), nil, 0o644))
		noErr(t, os.Truncate(filepath.Join(d.Inbox, "large.pdf"), 2<<40))
	}, says: []string{"✗ space", "1.1 TB free only, and a document of 2.2 TB waits"}},
	{name: "watched by another daemon", harm: func(_ *testing.T, d *Doctor) { d.Watched = true },
		says: []string{"✗ inbox", "another docusort, with another database, watches"}},
	{name: "folder of a member", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.MkdirAll(filepath.Join(d.Inbox, "a", "b"), 0o755))
		noErr(t, os.Chmod(filepath.Join(d.Inbox, "a"), 0o555))
	}, says: []string{"✗ inbox", "inbox/a: whoever made the folder", "chmod g+w", "'docusort doctor --fix' as root"}, root: true},
	{name: "no inotify", harm: func(t *testing.T, d *Doctor) { noErr(t, os.RemoveAll(d.inotifyLimits)) },
		says: []string{"✗ inotify", "DOCUSORT_WATCH=poll"}},
	{name: "damaged record", harm: func(t *testing.T, d *Doctor) {
		noErr(t, os.WriteFile(d.Database, []byte(strings.Repeat("no database ", 999)), 0o644))
	}, says: []string{"✗ database", "docusort.db"}},
	{name: "damaged inside", harm: func(t *testing.T, d *Doctor) {
		f, err := os.OpenFile(d.Database, os.O_RDWR, 0)
		noErr(t, err)
		defer f.Close()
		_, err = f.WriteAt(bytes.Repeat([]byte{0xee}, 4096), 2*4096)
		noErr(t, err)
	}, says: []string{"✗ database", "nothing was changed"}},
	{name: "record is locked", harm: func(t *testing.T, d *Doctor) {
		f, err := os.Open(d.Database + "-shm")
		noErr(t, err)
		t.Cleanup(func() { _ = f.Close() })
		noErr(t, unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK}))
	}, says: []string{"✗ database", "another program keeps a lock on ", "fuser -v"}},
	{name: "record is read all the time", harm: func(t *testing.T, d *Doctor) { noErr(t, os.Truncate(d.Database+"-wal", 70<<20)) },
		says: []string{"✗ database", "docusort.db-wal has 73.4 MB", "a read transaction open"}},
	{name: "record is read-only", harm: func(t *testing.T, d *Doctor) { noErr(t, os.Chmod(d.Database, 0o400)) },
		says: []string{"✗ database", "cannot be written"}, root: true},
}

func TestProblems(t *testing.T) {
	for _, c := range problems {
		t.Run(c.name, func(t *testing.T) {
			if c.root && os.Geteuid() == 0 {
				t.Skip("root may do everything")
			}
			d := healthy(t)
			c.harm(t, &d)
			results := d.Check(context.Background())
			says(t, text(results), c.says...)
			if !AnyWrong(results) {
				t.Error("nothing is wrong")
			}
			d.Fix = true
			if fixed := d.Check(context.Background()); AnyWrong(fixed) == c.fixed {
				t.Errorf("after --fix:\n%s", text(fixed))
			}
		})
	}
}

// TestMissingFolders: folders that docusort run makes are not wrong; doctor makes them only
// with Fix.
func TestMissingFolders(t *testing.T) {
	d := healthy(t)
	noErr(t, os.RemoveAll(d.Home))
	for _, fix := range []bool{false, true, false} {
		had, _ := os.ReadDir(filepath.Dir(d.Home))
		d.Fix = fix
		d.Watch = "poll"
		results := d.Check(context.Background())
		if AnyWrong(results) {
			t.Errorf("fix %v:\n%s", fix, text(results))
		}
		has, _ := os.ReadDir(filepath.Dir(d.Home))
		if !fix && len(has) != len(had) {
			t.Error("something was made without being asked for")
		}
	}
	for _, dir := range []string{d.Inbox, d.Sorted} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o700 != 0o700 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
	if _, err := os.Stat(d.Database); err == nil {
		t.Error("a database was made")
	}
}

// TestNames: doctor says what becomes of names that sorted refuses, and leaves nothing.
func TestNames(t *testing.T) {
	d := healthy(t)
	image := filepath.Join(d.Home, "image")
	noErr(t, os.WriteFile(image, nil, 0o600))
	noErr(t, os.Truncate(image, 8<<20))
	for _, args := range [][]string{{"mkfs.ntfs", "-F", "-q", image}, {"ntfs-3g", "-o", "windows_names", image, d.Sorted}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no NTFS: %s: %v %s", args[0], err, out)
		}
	}
	t.Cleanup(func() { noErr(t, unix.Unmount(d.Sorted, 0)) })
	results := d.moves(context.Background())
	says(t, text(results), "✓ moves", "each move will be a copy", "a:b.pdf becomes a-b.pdf", "dot. becomes dot", `M\xfcller.pdf becomes M-ller.pdf`)
	if strings.Contains(text(results), "scan.pdf") || strings.Contains(text(results), "ü") {
		t.Errorf("a name that is taken is said to change: %s", text(results))
	}
	for _, dir := range []string{d.Inbox, d.Sorted} {
		if left, err := filepath.Glob(dir + "/.d*"); err != nil || len(left) > 0 {
			t.Errorf("left behind: %q, %v", left, err)
		}
	}
}

// TestMoves: two mounts are told from one, and are no problem.
func TestMoves(t *testing.T) {
	d := healthy(t)
	far, err := os.MkdirTemp("/dev/shm", "docusort-doctor-")
	if err != nil {
		t.Skip("there is no second filesystem")
	}
	t.Cleanup(func() { _ = os.RemoveAll(far) })
	if MountOf(far) == MountOf(d.Home) {
		t.Skip("there is no second filesystem")
	}
	d.Sorted = far
	results := d.Check(context.Background())
	if got := text(results); AnyWrong(results) || !strings.Contains(got, "each move will be a copy") {
		t.Errorf("on two filesystems:\n%s", got)
	}
}
