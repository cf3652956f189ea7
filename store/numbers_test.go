package store

import (
	"errors"
	"testing"
)

// What was numbered in a transaction that was undone is numbered again.
func TestNumbersOfWhatWasUndone(t *testing.T) {
	s, set := faulty(t)
	a := found("scan.pdf", "x")
	set("commit", errors.New("undone"))
	if _, err := s.Admit(ctx, a); err == nil {
		t.Fatal("admitted")
	}
	set("", nil)
	id := admit(t, s, a).ID
	var codes string
	check1(t, s.read.QueryRow(`SELECT codes FROM option_sets o JOIN documents d ON d.options = o.id WHERE d.id = ?`, id).Scan(&codes))
	if want := must[string](t)(encodeOptions(a.Options)); codes != want {
		t.Errorf("options %s, want %s", codes, want)
	}
}
