package store

import (
	"errors"
	"testing"
)

// A document of a content that failed is told of before anything is stored, and
// only that one.
func TestAdmitChecksFailedMatches(t *testing.T) {
	s := openNew(t)
	failed := failedAfter(t, s, found("failed", "bad"), 1, false)
	identified(t, s, found("good", "good"), invoice)
	a := found("again", "bad")
	a.CheckFailed = true
	if _, err := s.Admit(ctx, a); !errors.Is(err, ErrFailedMatches) {
		t.Errorf("where one failed: %v", err)
	}
	if all := must[[]Document](t)(s.Waiting(ctx, 0, 9)); len(all) != 0 {
		t.Errorf("stored all the same: %+v", all)
	}
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
	check1(t, s.write(ctx, func(tx *tx) error {
		_, err := tx.exec("DROP INDEX documents_content") // by which it is asked
		return err
	}))
	a := found("b", "content")
	a.CheckFailed = true
	if _, err := s.Admit(ctx, a); err == nil || errors.Is(err, ErrFailedMatches) {
		t.Errorf("error is %v", err)
	}
}
