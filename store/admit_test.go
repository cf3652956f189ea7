package store

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What is at a place that is known already, in whatever situation its document is: the
// same content, touched, or other content.
func TestAdmitAtAKnownPlace(t *testing.T) {
	for _, start := range starts {
		for _, content := range []string{"a", "other"} {
			t.Run(start.name+", "+content, func(t *testing.T) {
				s := openNew(t)
				id := start.make(t, s)
				was, before := doc(t, s, id), row(t, s, id)
				a := found("a", content)
				a.Identity.ModTime, a.Identity.Inode = 99, 98
				got, err := s.Admit(ctx, a)
				after, changed := doc(t, s, id), diff(before, row(t, s, id))
				right := false
				switch {
				case was.Target != "" && !was.State.Finished():
					right = errors.Is(err, ErrMoving) && len(changed) == 0
				case was.State.Finished():
					right = err == nil && got.New && got.ID != id && got.Replaced == 0 && len(changed) == 0
				case was.Blocked(): // it is readable now
					right = err == nil && !got.New && got.ID == id && !got.Blocked() && got.Error == "" && got.SHA256 != nil
				case content == "other": // the new one takes over nothing
					right = err == nil && got.New && got.Replaced == id && after.State == Gone && after.Error != "" &&
						got.State == Waiting && got.JobID == "" && !got.Reused
				default:
					right = err == nil && !got.New && got.ID == id && got.Replaced == 0 && got.Identity == a.Identity &&
						got.State == was.State && got.JobID == was.JobID && got.Error == was.Error
				}
				if !right {
					t.Errorf("%+v, %v; it became %+v, changed: %q", got, err, after, changed)
				}
			})
		}
	}
}

func TestAdmitBlocked(t *testing.T) {
	s := openNew(t)
	a := found("a", "a")
	blocked := Admission{Inbox: inbox, Source: "a", Identity: a.Identity, Blocked: "permission denied"}
	first := admit(t, s, blocked)
	if !first.Blocked() || first.Error != "permission denied" || first.State != Waiting {
		t.Fatalf("stored as %+v", first)
	}
	blocked.Blocked = "folder is not ours"
	again := must[Admitted](t)(s.Admit(ctx, blocked))
	if again.New || again.ID != first.ID || again.Error != "folder is not ours" {
		t.Errorf("blocked again: %+v", again)
	}
	same(t, "blocked documents that may be submitted", len(due(t, s, PhaseReady)), 0)
	same(t, "a blocked document is known", must[bool](t)(s.Known(ctx, "a", a.Identity)), false)
	a.Failure = "too large"
	a.SHA256 = nil
	failing := admit(t, s, a)
	if failing.ID != first.ID || failing.Outcome != Failed || failing.Blocked() {
		t.Errorf("then failing: %+v", failing)
	}
}

// A mode that changes for a while is no reason to give up a paid job.
func TestAdmitBlockedWhileInFlight(t *testing.T) {
	s := openNew(t)
	id := pending(t, s, found("a", "a"))
	before := row(t, s, id)
	a := found("a", "a")
	blocked := Admission{Inbox: inbox, Source: "a", Identity: a.Identity, Blocked: "permission denied"}
	blocked.Identity.ChangeTime++
	got := must[Admitted](t)(s.Admit(ctx, blocked))
	if got.New || got.ID != id || len(diff(before, row(t, s, id))) > 0 {
		t.Errorf("%+v; changed %q", got, diff(before, row(t, s, id)))
	}
	blocked.Identity.Inode++
	if got := must[Admitted](t)(s.Admit(ctx, blocked)); !got.New || got.Replaced != id {
		t.Errorf("another file at its place: %+v", got)
	}
}

func TestAdmitFailure(t *testing.T) {
	s := openNew(t)
	filed(t, s, found("a", "a"))
	a := found("b", "a")
	a.Failure = "unsupported format"
	d := admit(t, s, a)
	if d.State != Waiting || d.Phase != PhaseFile || d.Outcome != Failed || d.Error != a.Failure || d.Reused {
		t.Errorf("stored as %+v", d)
	}
	same(t, "a failing document is known", must[bool](t)(s.Known(ctx, "b", a.Identity)), true)
}

func TestKnownNeedsEveryPartOfTheIdentity(t *testing.T) {
	s := openNew(t)
	a := found("a", "a")
	admit(t, s, a)
	id := a.Identity
	same(t, "known", must[bool](t)(s.Known(ctx, "a", id)), true)
	for name, change := range map[string]func(*Identity){
		"device":  func(id *Identity) { id.Device-- },
		"inode":   func(id *Identity) { id.Inode++ },
		"size":    func(id *Identity) { id.Size++ },
		"modtime": func(id *Identity) { id.ModTime++ },
		"ctime":   func(id *Identity) { id.ChangeTime++ },
	} {
		other := id
		change(&other)
		same(t, "known by another "+name, must[bool](t)(s.Known(ctx, "a", other)), false)
	}
	same(t, "another place is known", must[bool](t)(s.Known(ctx, "b", id)), false)
	check1(t, s.Gone(ctx, 1, "deleted"))
	same(t, "a finished one is known", must[bool](t)(s.Known(ctx, "a", id)), false)
}

// Names are bytes: what SQLite, Go or JSON would like to make of them does not
// matter.
func TestNamesSurviveByteForByte(t *testing.T) {
	s := openNew(t)
	all := ""
	for b := 1; b < 256; b++ {
		if b != '/' {
			all += string([]byte{byte(b)})
		}
	}
	for i, name := range []string{
		"a\nb.pdf", `it's "quoted"; DROP TABLE documents;--.pdf`, "\xff\xfe\xed\xa0\x80.pdf", "e\u0301.pdf", "\u00e9.pdf",
		"-", "0", "%s?_x=1&mode=memory#", all,
	} {
		a := found(name, name)
		a.Inbox.Path = "/in/" + name
		id := identified(t, s, a, Answer{Type: name, Outcome: Filed})
		must[[]int64](t)(s.Target(ctx, []Targeted{{id, Folder{Path: "/out/" + name}, name}}))
		must[[]int64](t)(s.Moved(ctx, []int64{id}))
		d := doc(t, s, id)
		if d.Identity != a.Identity || !slices.Equal(d.SHA256, a.SHA256) || d.ContentType != a.ContentType || d.DiscoveredAt.IsZero() {
			t.Errorf("name %d: stored as %+v", i, d)
		}
		if d.Source != name || d.Target != name || d.Inbox.Path != "/in/"+name || d.Sorted != "/out/"+name || d.Type != name {
			t.Errorf("name %d: %q became %+v", i, name, d)
		}
		if got := admit(t, s, a); got.Source != name || !got.Reused || got.Type != name {
			t.Errorf("name %d again: %+v", i, got)
		}
	}
}

// A file that two look at is not admitted again by the one who is late, after it
// was moved to its place; put back there, or another of its kind, it is.
func TestAdmitAfterItWasMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openNew(t)
		late := found("a", "a")
		late.ExaminedAt = time.Now()
		time.Sleep(time.Second)
		id := pending(t, s, found("a", "a"))
		check1(t, s.Identified(ctx, id, invoice))
		move(t, s, id)
		is(t, "late", errOf(s.Admit(ctx, late)), ErrMoving)
		for name, change := range map[string]func(a *Admission){
			"another file":  func(a *Admission) { a.Identity.Inode++ },
			"another place": func(a *Admission) { a.Source = "b" },
			"put back":      func(a *Admission) { a.ExaminedAt = time.Now().Add(time.Millisecond) },
		} {
			again := late
			change(&again)
			out, err := s.Admit(ctx, again)
			if err != nil || !out.New {
				t.Errorf("%s: %+v, %v", name, out, err)
				continue
			}
			check1(t, s.Gone(ctx, out.ID, "for the next"))
		}
		is(t, "late", errOf(s.Admit(ctx, late)), ErrMoving)
	})
}
