package store

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAdmitNew(t *testing.T) {
	s := openNew(t)
	a := found("sub/a.pdf", "content")
	got := must[Admitted](t)(s.Admit(ctx, a))
	if !got.New || got.Replaced != 0 {
		t.Errorf("New %v, Replaced %d", got.New, got.Replaced)
	}
	d := doc(t, s, got.ID)
	if d.State != Waiting || d.Source != a.Source || d.Identity != a.Identity || d.Inbox != inbox ||
		!slices.Equal(d.SHA256, a.SHA256) || d.ContentType != a.ContentType || d.DiscoveredAt.IsZero() ||
		d.Blocked() || d.Error != "" || d.Phase != PhaseReady {
		t.Errorf("stored as %+v", d)
	}
}

func TestAdmitKnownByPlaceAndContent(t *testing.T) {
	for _, start := range starts {
		t.Run(start.name, func(t *testing.T) {
			s := openNew(t)
			id := start.make(t, s)
			before := doc(t, s, id)
			a := found("a", "a")
			a.Identity.ModTime, a.Identity.Inode = 99, 98 // touched
			got, err := s.Admit(ctx, a)
			switch {
			case before.Target != "" && !before.State.Finished():
				if !errors.Is(err, ErrMoving) {
					t.Fatalf("error is %v, want ErrMoving", err)
				}
				same(t, "identity", doc(t, s, id).Identity, before.Identity)
				return
			case before.State.Finished():
				if err != nil || !got.New || got.ID == id || got.Replaced != 0 {
					t.Errorf("a new file: %+v, %v", got, err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if got.New || got.ID != id || got.Replaced != 0 || got.Identity != a.Identity {
				t.Errorf("admitted as %+v", got)
			}
			if !before.Blocked() && (got.State != before.State || got.JobID != before.JobID || got.Error != before.Error) {
				t.Errorf("%s, job %q became %s, job %q", before.State, before.JobID, got.State, got.JobID)
			}
			if before.Blocked() && (got.Blocked() || got.Error != "" || got.SHA256 == nil) {
				t.Errorf("readable now, and stored as %+v", got.Document)
			}
		})
	}
}

func TestAdmitChangedContent(t *testing.T) {
	for _, start := range starts {
		t.Run(start.name, func(t *testing.T) {
			s := openNew(t)
			id := start.make(t, s)
			before := row(t, s, id)
			was := doc(t, s, id)
			got, err := s.Admit(ctx, found("a", "other"))
			switch {
			case was.Target != "" && !was.State.Finished():
				if !errors.Is(err, ErrMoving) || len(diff(before, row(t, s, id))) > 0 {
					t.Errorf("error is %v; changed: %q", err, diff(before, row(t, s, id)))
				}
			case was.State.Finished():
				if err != nil || !got.New || got.Replaced != 0 || len(diff(before, row(t, s, id))) > 0 {
					t.Errorf("%+v, %v", got, err)
				}
			case was.Blocked():
				if err != nil || got.New || got.ID != id {
					t.Errorf("%+v, %v", got, err)
				}
			default:
				after := doc(t, s, id)
				if err != nil || !got.New || got.Replaced != id || after.State != Gone || after.Error == "" {
					t.Errorf("%+v, %v; the old one is %s: %q", got, err, after.State, after.Error)
				}
				if got.State != Waiting || got.JobID != "" || got.Reused {
					t.Errorf("the new one took over something: %+v", got.Document)
				}
			}
		})
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
	if d.State != Waiting || d.Outcome != Failed || d.Error != a.Failure || d.Reused {
		t.Errorf("stored as %+v", d)
	}
	if m := due(t, s, PhaseFile); len(m) != 1 || m[0] != d.ID {
		t.Errorf("movable: %+v", m)
	}
	same(t, "a failing document is known", must[bool](t)(s.Known(ctx, "b", a.Identity)), true)
}

func TestKnownNeedsEveryPartOfTheIdentity(t *testing.T) {
	s := openNew(t)
	a := found("a", "a")
	admit(t, s, a)
	id := a.Identity
	if !must[bool](t)(s.Known(ctx, "a", id)) {
		t.Fatal("it is not known")
	}
	for name, other := range map[string]Identity{
		"device":  {id.Device - 1, id.Inode, id.Size, id.ModTime, id.ChangeTime},
		"inode":   {id.Device, id.Inode + 1, id.Size, id.ModTime, id.ChangeTime},
		"size":    {id.Device, id.Inode, id.Size + 1, id.ModTime, id.ChangeTime},
		"modtime": {id.Device, id.Inode, id.Size, id.ModTime + 1, id.ChangeTime},
		"ctime":   {id.Device, id.Inode, id.Size, id.ModTime, id.ChangeTime + 1},
	} {
		if must[bool](t)(s.Known(ctx, "a", other)) {
			t.Errorf("another %s is known", name)
		}
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
		must[[]int64](t)(s.Target(ctx, []Targeted{{id, "/out/" + name, name}}))
		check1(t, s.Moved(ctx, []int64{id}))
		d := doc(t, s, id)
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

// A document of a content that failed is told of before anything is stored, and
// only that one.
func TestAdmitChecksFailedMatches(t *testing.T) {
	s := openNew(t)
	failed := failedAfter(t, s, found("failed", "bad"), 1, false)
	identified(t, s, found("good", "good"), invoice)
	a := found("again", "bad")
	a.CheckFailed = true
	is(t, "where one failed", errOf(s.Admit(ctx, a)), ErrFailedMatches)
	same(t, "documents stored", len(must[[]Document](t)(s.Waiting(ctx, 0, 9))), 0)
	for _, content := range []string{"good", "new"} {
		b := found("b "+content, content)
		b.CheckFailed = true
		if got := must[Admitted](t)(s.Admit(ctx, b)); !got.New {
			t.Errorf("%s: %+v", content, got)
		}
	}
	a.CheckFailed, a.FailedMatches = false, []int64{failed}
	if got := must[Admitted](t)(s.Admit(ctx, a)); !got.Continued || got.ID != failed {
		t.Errorf("it goes on as %+v", got)
	}
}

// A record that cannot be asked says nothing of failed documents.
func TestAdmitCannotCheckFailedMatches(t *testing.T) {
	s := openNew(t)
	admit(t, s, found("a", "content"))
	check1(t, s.do(ctx, "DROP INDEX documents_content"))
	a := found("b", "content")
	a.CheckFailed = true
	if _, err := s.Admit(ctx, a); err == nil || errors.Is(err, ErrFailedMatches) {
		t.Errorf("error is %v", err)
	}
}
