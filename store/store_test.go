package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain also is what this binary does when a test runs it again as another
// process: a daemon to be killed, or a reader under another user.
func TestMain(m *testing.M) {
	if job := os.Getenv(childJob); job != "" {
		os.Exit(runChild(job))
	}
	goleak.VerifyTestMain(m)
}

var (
	ctx     = context.Background()
	options = []string{"invoice", "receipt"}
	request = SubmitRequest{options, week, func(float64) State { return Filed }}
	inbox   = Folder{Path: "/in", Device: 1, Inode: 1<<64 - 1}
)

const week = 7 * 24 * time.Hour

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(ctx, Config{Path: path, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openNew(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(quickFolder(t), "docusort.db"))
}

// quickFolder is one in memory where there is such a thing: hundreds of
// databases are made here, and what is tested is not the disk.
func quickFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "docusort-store-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// tester is what rapid's T has, too.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// must hands on a result whose error would spoil the test.
func must[T any](t tester) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check1(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T any](t tester, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// is compares an error with the one that it should be or wrap.
func is(t tester, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// errOf returns the error of a call alone.
func errOf[T any](_ T, err error) error { return err }

func hash(content string) []byte {
	sum := sha256.Sum256([]byte(content))
	return sum[:]
}

// found is what the pipeline says of a good file.
func found(source, content string) Admission {
	return Admission{
		Inbox: inbox, Source: source, SHA256: hash(content), ContentType: "application/pdf",
		Identity:      Identity{Device: 1<<64 - 2, Inode: uint64(len(source)), Size: int64(len(content)), ModTime: 3, ChangeTime: 4},
		SubmitRequest: request,
	}
}

func admit(t testing.TB, s *Store, a Admission) Document {
	t.Helper()
	return must[Admitted](t)(s.Admit(ctx, a)).Document
}

func doc(t testing.TB, s *Store, id int64) Document {
	t.Helper()
	return must[Document](t)(s.Document(ctx, id))
}

// row returns every column of a record, whatever columns there are.
func row(t testing.TB, s *Store, id int64) map[string]any {
	t.Helper()
	rows := must[*sql.Rows](t)(s.read.Query("SELECT * FROM documents WHERE id = ?", id))
	defer rows.Close()
	names := must[[]string](t)(rows.Columns())
	if !rows.Next() {
		t.Fatalf("no document %d: %v", id, rows.Err())
	}
	values := make([]any, len(names))
	dest := make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	check1(t, rows.Scan(dest...))
	all := make(map[string]any)
	for i, name := range names {
		all[name] = values[i]
		if b, ok := values[i].([]byte); ok {
			all[name] = string(b)
		}
	}
	return all
}

// diff lists the columns that differ, as "name: before -> after".
func diff(before, after map[string]any) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			all = append(all, fmt.Sprintf("%s: %v -> %v", name, before[name], after[name]))
		}
	}
	return all
}

// The shortest ways to a state.

func submitted(t testing.TB, s *Store, a Admission) int64 {
	t.Helper()
	d := ask(t, s, admit(t, s, a).ID, a.SubmitRequest)
	if d.State != Submitting {
		t.Fatalf("document %d is %s (%s)", d.ID, d.State, d.Phase)
	}
	return d.ID
}

// submit submits a document that is there already.
func submit(t testing.TB, s *Store, id int64) Document {
	t.Helper()
	d := ask(t, s, id, request)
	if d.State != Submitting {
		t.Fatalf("document %d is %s (%s)", id, d.State, d.Phase)
	}
	return d
}

// reader opens a reader that is closed when the test ends.
func reader(t testing.TB, s *Store) *Reader {
	t.Helper()
	r := must[*Reader](t)(OpenReader(ctx, s.path))
	t.Cleanup(func() { check1(t, r.Close()) })
	return r
}

// daemonOf is what a reader says of the daemon now.
func daemonOf(t testing.TB, s *Store) Daemon {
	t.Helper()
	r := must[*Reader](t)(OpenReader(ctx, s.path))
	defer r.Close()
	return must[Daemon](t)(r.Daemon(ctx))
}

// due returns the ids of what may be done in a phase.
func due(t testing.TB, s *Store, phase Phase) []int64 {
	t.Helper()
	return ids(must[[]Document](t)(s.Due(ctx, phase, time.Now(), 99)))
}

func pending(t testing.TB, s *Store, a Admission) int64 {
	t.Helper()
	id := submitted(t, s, a)
	check1(t, s.Accepted(ctx, id, fmt.Sprintf("job-%d", id)))
	return id
}

func identified(t testing.TB, s *Store, a Admission, answer Answer) int64 {
	t.Helper()
	id := pending(t, s, a)
	check1(t, s.Identified(ctx, id, answer))
	return id
}

// filed admits a document and takes it to its place.
func filed(t testing.TB, s *Store, a Admission) int64 {
	t.Helper()
	id := identified(t, s, a, invoice)
	move(t, s, id)
	return id
}

var invoice = Answer{Type: "invoice", Confidence: 0.9, Alternatives: []byte(`[{"code":"other"}]`), Outcome: Filed, Share: true}

// move brings documents with an outcome to their end.
func move(t testing.TB, s *Store, ids ...int64) {
	t.Helper()
	for _, id := range ids {
		stale := must[[]int64](t)(s.Target(ctx, []Targeted{{id, Folder{Path: "/sorted"}, fmt.Sprintf("x/%d", id)}}))
		if len(stale) > 0 {
			t.Fatalf("document %d has no outcome", id)
		}
	}
	must[[]int64](t)(s.Moved(ctx, ids))
}
