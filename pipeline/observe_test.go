package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"docusort/store"
)

// doc returns the newest document of a place.
func (r *rig) doc(source string) store.Document {
	r.t.Helper()
	for ; ; r.seen++ {
		d, err := r.store.Document(context.Background(), r.seen+1)
		if err != nil {
			break
		}
		r.ids[d.Source] = d.ID
	}
	d, err := r.store.Document(context.Background(), r.ids[source])
	if err != nil {
		r.t.Fatalf("no document of %q", source)
	}
	return d
}

// docs returns all documents.
func (r *rig) docs() (all []store.Document) {
	r.t.Helper()
	for id := int64(1); ; id++ {
		d, err := r.store.Document(context.Background(), id)
		if err != nil {
			return all
		}
		all = append(all, d)
	}
}

// reaches waits until the newest document of a place is in a state.
func (r *rig) reaches(source string, want store.State, within time.Duration) store.Document {
	r.t.Helper()
	var d store.Document
	r.until(within, fmt.Sprintf("%q %s", source, want), func() bool {
		d = r.doc(source)
		return d.State == want
	})
	return d
}

// file drops a document and waits until it is filed.
func (r *rig) file(name, content, kind string) store.Document {
	r.t.Helper()
	r.drop(name, content, kind)
	return r.reaches(name, store.Filed, time.Minute)
}

// dropUnsure drops a document of whose type the service is not sure.
func (r *rig) dropUnsure(name, content, kind string, confidence float64) {
	r.t.Helper()
	r.write(name, content, kind)
	r.knows(content, kind, confidence)
	r.files <- name
}

// allFiled waits until n documents lie beneath sorted.
func (r *rig) allFiled(n int, within time.Duration) {
	r.t.Helper()
	r.until(within, fmt.Sprint(n, " filed"), func() bool { return len(r.names()) == n })
}

// until waits, in virtual time, for something to become true.
func (r *rig) until(within time.Duration, what string, is func() bool) {
	r.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(max(10*time.Millisecond, within/300)) {
		synctest.Wait()
		if is() {
			return
		}
		if time.Now().After(end) {
			for _, d := range r.docs() {
				r.t.Logf("%d %q %s %q: %s", d.ID, d.Source, d.State, d.Target, d.Error)
			}
			r.t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// hold returns the hold that is shown.
func (r *rig) hold() *store.Hold {
	h, _ := r.p.Hold()
	return h
}

// held waits for a hold of a kind; "" for none.
func (r *rig) held(kind store.HoldKind, within time.Duration) {
	r.t.Helper()
	r.until(within, "hold "+string(kind), func() bool {
		h := r.hold()
		return h == nil && kind == "" || h != nil && h.Kind == kind
	})
}

// tree returns what lies beneath a folder: paths with contents.
func tree(t testing.TB, root string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	must(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		found[rel] = string(b)
		return err
	}))
	return found
}

// names returns the paths beneath sorted, without those of sidecars.
func (r *rig) names() []string {
	r.t.Helper()
	names := slices.Sorted(maps.Keys(tree(r.t, r.sorted)))
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, ".json") })
}

func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func sameList[T comparable](t testing.TB, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func contains(t testing.TB, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s: got %q, want %q in it", what, got, want)
	}
}

// is compares an error with the one that it should be or wrap.
func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

func exists(t testing.TB, root string, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := os.Lstat(filepath.Join(root, n)); err != nil {
			t.Errorf("%q is missing: %v", n, err)
		}
	}
}

func missing(t testing.TB, root string, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := os.Lstat(filepath.Join(root, n)); err == nil {
			t.Errorf("%q is there", n)
		}
	}
}

func (r *rig) counts() map[store.State]int {
	counts := make(map[store.State]int)
	for _, d := range r.docs() {
		counts[d.State]++
	}
	return counts
}

// kept counts the finished documents in the database.
func (r *rig) kept() (n int) {
	r.t.Helper()
	counts, err := r.store.Finished(context.Background(), time.UnixMilli(0))
	must(r.t, err)
	for _, of := range counts {
		n += of
	}
	return n
}

// reportedHold is the kind of hold that the report shows, or "".
func (r *rig) reportedHold() store.HoldKind {
	r.t.Helper()
	reader, err := store.OpenReader(bg, filepath.Join(filepath.Dir(r.inbox), "docusort.db"))
	must(r.t, err)
	defer reader.Close()
	d, err := reader.Daemon(bg)
	must(r.t, err)
	if d.Hold == nil {
		return ""
	}
	return d.Hold.Kind
}

// summary is what the report adds up.
func (r *rig) summary() (s store.Summary) {
	r.t.Helper()
	reader, err := store.OpenReader(bg, filepath.Join(filepath.Dir(r.inbox), "docusort.db"))
	must(r.t, err)
	defer reader.Close()
	s, err = reader.Summary(bg, store.Filter{})
	must(r.t, err)
	return s
}

// alive fails the test where a loop is late.
func (r *rig) alive() {
	r.t.Helper()
	if late := r.p.Late(time.Second); late != "" {
		r.t.Errorf("%s is late", late)
	}
}

// logbook keeps the messages that were logged, and passes the records on.
type logbook struct {
	slog.Handler
	*messages
}

type messages struct {
	mu    sync.Mutex
	times map[string]int
}

func newLogbook(next slog.Handler) logbook {
	return logbook{next, &messages{times: make(map[string]int)}}
}

func (l logbook) WithAttrs(a []slog.Attr) slog.Handler {
	return logbook{l.Handler.WithAttrs(a), l.messages}
}

func (l logbook) Handle(ctx context.Context, rec slog.Record) error {
	l.mu.Lock()
	l.times[rec.Message]++
	l.mu.Unlock()
	return l.Handler.Handle(ctx, rec)
}

// count returns how often a message was logged.
func (m *messages) count(message string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.times[message]
}

// between fails the test where something is less or more than it should be.
func between[T cmp.Ordered](t testing.TB, what string, got, least, most T) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: got %v, want %v to %v", what, got, least, most)
	}
}

// late returns how long after the end of its job the answer for a document was seen.
func (r *rig) late(d store.Document, latency time.Duration) time.Duration {
	u, _ := r.service.Upload(d.JobID)
	return d.IdentifiedAt.Sub(u.At) - latency
}

// each runs a test for each of some things.
func each[T any](t *testing.T, all []T, test func(t *testing.T, one T)) {
	for _, one := range all {
		t.Run(fmt.Sprint(one), func(t *testing.T) { test(t, one) })
	}
}

// pass lets time pass, until every goroutine waits.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
