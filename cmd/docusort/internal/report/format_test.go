package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"docusort/store"
)

func TestTrouble(t *testing.T) {
	record(t, func(f *fixture) {
		trouble := func(filter store.Filter, want bool) {
			t.Helper()
			f.read(func(r *store.Reader) {
				got, err := Trouble(f.ctx, r, filter, time.Now())
				if f.ok(err); got != want {
					t.Errorf("trouble: %v, want %v", got, want)
				}
			})
		}
		f.ok(f.s.Started(f.ctx, 1))
		f.file("a.pdf", "invoice", 1)
		trouble(store.Filter{}, false)
		f.ok(f.s.SetHold(f.ctx, &store.Hold{Kind: store.HoldService, Reason: "down", Since: time.Now()}))
		trouble(store.Filter{}, true)
		f.ok(f.s.SetHold(f.ctx, nil))
		trouble(store.Filter{}, false)
		f.fail("b.docx", "unsupported format")
		f.pass(time.Hour)
		trouble(store.Filter{}, true)
		trouble(store.Filter{Type: "invoice", State: store.Filed}, true) // what is shown does not matter
		trouble(store.Filter{Since: time.Now().Add(-2 * time.Hour)}, true)
		trouble(store.Filter{Since: time.Now().Add(-time.Minute)}, false)
		f.pass(24 * time.Hour)
		trouble(store.Filter{}, false)
		trouble(store.Filter{Since: time.Now().Add(-48 * time.Hour)}, true)
		f.admit("c.pdf", func(a *store.Admission) { a.SHA256, a.Blocked = nil, "not readable" })
		trouble(store.Filter{}, false)
		f.stuck(1)
		trouble(store.Filter{}, true)
		f.ok(f.s.Gone(f.ctx, 3, "removed"))
		trouble(store.Filter{}, false)
		f.ok(f.s.Close()) // as a kill would
		trouble(store.Filter{}, true)
	})
}

// full fails like a disk does.
type full struct{ room, asked int }

var errFull = errors.New("no space left")

func (w *full) Write(b []byte) (int, error) {
	w.asked++
	n := min(len(b), w.room)
	w.room -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestAnErrorOfTheOutputIsReported(t *testing.T) {
	record(t, func(f *fixture) {
		f.crowd(100)
		for _, render := range []renderer{writeTable, writeJSON, writeCSV, writeHTML} {
			for _, room := range []int{0, 5000} {
				f.read(func(r *store.Reader) {
					w := full{room: room}
					if err := render(f.ctx, &w, r, Options{Documents: true}); !errors.Is(err, errFull) {
						t.Errorf("got %v with room for %d bytes", err, room)
					}
					if most := room/4096 + 1; w.asked > most {
						t.Errorf("it was written to %d times", w.asked)
					}
				})
			}
		}
		ctx, cancel := context.WithCancel(f.ctx)
		f.read(func(r *store.Reader) {
			cancel()
			var b bytes.Buffer
			if err := writeJSON(ctx, &b, r, Options{Documents: true}); err == nil || json.Valid(b.Bytes()) {
				t.Errorf("an interrupted report gave %v and %q", err, b.String())
			}
		})
	})
}
