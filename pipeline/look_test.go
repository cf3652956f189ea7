package pipeline

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docusort/store"
)

// doc returns the newest record of a place.
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
		r.t.Fatalf("no record of %q", source)
	}
	return d
}

// docs returns all records.
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

// reaches waits until the newest record of a place is in a state.
func (r *rig) reaches(source string, want store.State, within time.Duration) store.Document {
	r.t.Helper()
	var d store.Document
	r.until(within, fmt.Sprintf("%q %s", source, want), func() bool {
		d = r.doc(source)
		return d.State == want
	})
	return d
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

func sameList(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

var bg = context.Background()
