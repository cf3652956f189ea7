package store

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// closed returns a database of n documents that nobody has open, without the
// files beside it.
func closed(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(quickFolder(t), "docusort.db")
	s := must[*Store](t)(Open(ctx, Config{Path: path}))
	for i := range n {
		a := found(fmt.Sprint("document ", i), fmt.Sprint(i))
		id := must[Admitted](t)(s.Admit(ctx, a)).ID
		if i%2 == 0 {
			check1(t, s.Failed(ctx, id, strings.Repeat("a long reason ", 20)))
		}
	}
	check1(t, s.Close())
	for _, name := range []string{"-wal", "-shm", "-lock"} {
		check1(t, os.Remove(path+name))
	}
	return path
}

// contentsOf returns the content of everything in a folder but the lock.
func contentsOf(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		if !strings.HasSuffix(e.Name(), "-lock") {
			all[e.Name()] = must[[]byte](t)(os.ReadFile(filepath.Join(dir, e.Name())))
		}
	}
	return all
}

func execSQL(t testing.TB, path, query string) {
	t.Helper()
	db := must[*sql.DB](t)(sql.Open("sqlite3", "file:"+path))
	defer db.Close()
	must[sql.Result](t)(db.Exec(query))
}

// refused opens a file that cannot be used, and compares what is there after.
func refused(t *testing.T, path, says string) {
	t.Helper()
	before := contentsOf(t, filepath.Dir(path))
	for range 2 {
		s, err := Open(ctx, Config{Path: path})
		if err == nil {
			s.Close()
			t.Fatal("it was opened")
		}
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), says) {
			t.Errorf("error is %v", err)
		}
	}
	if after := contentsOf(t, filepath.Dir(path)); !sameListing(before, after) {
		t.Errorf("something was changed: %q, %q", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
}

func sameListing(before, after map[string][]byte) bool {
	return maps.EqualFunc(before, after, bytes.Equal)
}

func TestUnusableFiles(t *testing.T) {
	for _, c := range []struct {
		name, says string
		spoil      func(t *testing.T, path string)
	}{
		{"zero bytes", "empty", func(t *testing.T, path string) { check1(t, os.Truncate(path, 0)) }},
		{"garbage", "not a database", func(t *testing.T, path string) {
			check1(t, os.WriteFile(path, bytes.Repeat([]byte("garbage!"), 4096), 0o644))
		}},
		{"a few bytes", "cut short", func(t *testing.T, path string) { check1(t, os.WriteFile(path, []byte("x"), 0o644)) }},
		{"cut in half", "malformed", func(t *testing.T, path string) {
			check1(t, os.Truncate(path, must[os.FileInfo](t)(os.Stat(path)).Size()/2))
		}},
		{"cut inside the first page", "", func(t *testing.T, path string) { check1(t, os.Truncate(path, 1000)) }},
		{"a page lost at the end", "malformed", func(t *testing.T, path string) {
			check1(t, os.Truncate(path, must[os.FileInfo](t)(os.Stat(path)).Size()-4096))
		}},
		{"another program's", "another program", func(t *testing.T, path string) {
			check1(t, os.Remove(path))
			execSQL(t, path, "CREATE TABLE t (a); PRAGMA application_id = 7; PRAGMA user_version = 1")
		}},
		{"from before the first release", "before its first release", func(t *testing.T, path string) {
			execSQL(t, path, fmt.Sprintf("PRAGMA user_version = %d", schema-1))
		}},
		{"a newer version's", "newer version", func(t *testing.T, path string) { execSQL(t, path, "PRAGMA user_version = 999") }},
		{"a newer version's, in the -wal file", "newer version", func(t *testing.T, path string) {
			db := must[*sql.DB](t)(sql.Open("sqlite3", "file:"+path))
			must[sql.Result](t)(db.Exec("PRAGMA user_version = 999"))
			wal := must[[]byte](t)(os.ReadFile(path + "-wal"))
			main := must[[]byte](t)(os.ReadFile(path))
			check1(t, db.Close())
			check1(t, os.WriteFile(path, main, 0o644))
			check1(t, os.WriteFile(path+"-wal", wal, 0o644))
			// What SQLite makes of the -wal file stands in a -shm file.
			r := must[*sql.DB](t)(sql.Open("sqlite3", dsn(path, "ro")))
			_, _ = r.Exec("PRAGMA user_version")
			check1(t, r.Close())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := closed(t, 300)
			c.spoil(t, path)
			refused(t, path, c.says)
			if r, err := OpenReader(ctx, path); err == nil {
				r.Close()
				if !regexp.MustCompile("cut|lost|-wal").MatchString(c.name) {
					t.Error("a reader takes it")
				}
			}
		})
	}
}

// Every page counts: each in turn is overwritten, in the header of its tree.
func TestDamagedPages(t *testing.T) {
	path := closed(t, 300)
	whole := must[[]byte](t)(os.ReadFile(path))
	size := int(binary.BigEndian.Uint16(whole[16:]))
	if len(whole) < 20*size {
		t.Fatalf("only %d pages", len(whole)/size)
	}
	for page := 1; page < len(whole)/size; page++ {
		damaged := bytes.Clone(whole)
		copy(damaged[page*size:], "\xff\xff\xff\xff\xff\xff\xff\xff")
		check1(t, os.WriteFile(path, damaged, 0o644))
		refused(t, path, "nothing was changed")
		if t.Failed() {
			t.Fatalf("page %d", page+1)
		}
	}
	check1(t, os.WriteFile(path, whole, 0o644))
	openAt(t, path)
}

func TestOpenSaysWhatIsWrongAndWhere(t *testing.T) {
	dir := t.TempDir()
	dangling := filepath.Join(dir, "dangling.db")
	check1(t, os.Symlink(filepath.Join(dir, "unmounted", "docusort.db"), dangling))
	for _, c := range []struct{ path, says string }{
		{filepath.Join(dir, "missing", "docusort.db"), "make the folder"},
		{dangling, "is the disk mounted?"},
		{dir, "not a file"},
	} {
		_, err := Open(ctx, Config{Path: c.path})
		if err == nil || !strings.Contains(err.Error(), c.path) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	if _, err := os.Lstat(dangling); err != nil {
		t.Errorf("the link was replaced: %v", err)
	}
	is(t, "reader", errOf(OpenReader(ctx, filepath.Join(dir, "none.db"))), ErrNoDatabase)
}

// A crash while the database was being made leaves nothing in the way.
func TestHalfMadeDatabaseHeals(t *testing.T) {
	for _, left := range []string{"", "SQLite format 3\x00 half", string(bytes.Repeat([]byte{0}, 4096))} {
		path := filepath.Join(t.TempDir(), "docusort.db")
		check1(t, os.WriteFile(path+"-new", []byte(left), 0o644))
		check1(t, os.WriteFile(path+"-new-journal", []byte(left), 0o644))
		s := openAt(t, path)
		admit(t, s, found("a", "a"))
		if got := contentsOf(t, filepath.Dir(path)); got["docusort.db-new"] != nil || got["docusort.db-new-journal"] != nil {
			t.Error("it was left behind")
		}
	}
}

// A name that a URI would take for something else.
func TestPathsWithOddNames(t *testing.T) {
	for _, name := range []string{"a?mode=memory", "a#b", "100%41", "a b&c=d", "\xff\n", "é"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		s := openAt(t, "//"+path)
		admit(t, s, found("a", "a"))
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		r := must[*Reader](t)(OpenReader(ctx, path))
		if n := must[Summary](t)(r.Summary(ctx, Filter{})).Totals[Waiting]; n != 1 {
			t.Errorf("%q: %d documents", name, n)
		}
		check1(t, r.Close())
	}
}

// A large database is opened at once, and checked beside the work.
func TestLargeDatabaseIsCheckedBesideTheWork(t *testing.T) {
	limit := checkedAtOnce
	t.Cleanup(func() { checkedAtOnce = limit })
	checkedAtOnce = 1000

	path := closed(t, 300)
	s := openAt(t, path)
	s.checking.Wait()
	admit(t, s, found("new", "new"))
	check1(t, s.Close())

	path = closed(t, 300)
	whole := must[[]byte](t)(os.ReadFile(path))
	var root int // of an index that the probes do not look at
	db := must[*sql.DB](t)(sql.Open("sqlite3", dsn(path, "ro", "immutable", "1")))
	check1(t, db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'documents_content'`).Scan(&root))
	check1(t, db.Close())
	copy(whole[(root-1)*4096:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	check1(t, os.WriteFile(path, whole, 0o644))
	s = openAt(t, path)
	s.checking.Wait()
	if err := s.Gone(ctx, 1, ""); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged one: %v", err)
	}
	check1(t, s.Close())

	path = closed(t, 300)
	check1(t, os.Truncate(path, must[os.FileInfo](t)(os.Stat(path)).Size()-4096))
	refused(t, path, "malformed")
}
