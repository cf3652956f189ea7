package store

import (
	"reflect"
	"strings"
	"testing"
)

// rowOf is a row of these values, NULL after them.
type rowOf []any

func (r rowOf) Scan(dest ...any) error {
	for i := range dest {
		*dest[i].(*any) = nil
		if i < len(r) {
			*dest[i].(*any) = r[i]
		}
	}
	return nil
}

// A value of a kind that its column cannot have is an error, and no other one later.
func TestColumnsOfTheWrongKind(t *testing.T) {
	var c columns
	if _, err := c.document(rowOf{int64(7), "/in", "9"}); err == nil || !strings.Contains(err.Error(), "column 3 of a document is a string") {
		t.Errorf("%v", err)
	}
	got, err := c.document(rowOf{int64(7), "/in"})
	if want := (Document{ID: 7, Inbox: Folder{Path: "/in"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
