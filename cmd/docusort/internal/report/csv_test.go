package report

import (
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"docusort/store"
)

// rowsOf reads a CSV as a program outside does.
func rowsOf(t *testing.T, text string) (head []string, rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, row := range all[1:] {
		fields := map[string]string{}
		for i, name := range all[0] {
			fields[name] = row[i]
		}
		rows = append(rows, fields)
	}
	return all[0], rows
}

// TestCSVSaysWhatTheJSONSays holds every cell against its field.
func TestCSVSaysWhatTheJSONSays(t *testing.T) {
	record(t, func(f *fixture) {
		f.fill()
		head, rows := rowsOf(f.t, f.render(writeCSV, Options{}))
		var all struct{ Documents []map[string]any }
		f.ok(json.Unmarshal([]byte(f.render(writeJSON, Options{Documents: true})), &all))
		if len(rows) != len(all.Documents) || len(rows) == 0 {
			t.Fatalf("%d rows for %d documents", len(rows), len(all.Documents))
		}
		for i, document := range all.Documents {
			if len(document) != len(head) {
				t.Errorf("%d columns for %d fields", len(head), len(document))
			}
			for name, value := range document {
				want := ""
				switch v := value.(type) {
				case string:
					want = v
				case float64:
					want = strconv.FormatFloat(v, 'f', -1, 64)
				}
				if got := rows[i][name]; got != want {
					t.Errorf("document %d: %s is %q, and %q in the JSON", i, name, got, want)
				}
			}
		}
	})
}

func TestCSVIsNoFormula(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "'a": "''a", "＝1": "'＝1",
		"  =1": "'  =1", "a=1": "a=1", "": "", "scan-1.pdf": "scan-1.pdf", " a": " a",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q became %q, want %q", cell, got, want)
		}
	}
	record(t, func(f *fixture) {
		const evil = `=cmd|'/c calc'!A0`
		f.fail(evil, "@"+evil)
		id := f.identify("-rf.pdf", "+type", 1, store.Filed)
		f.move(id, "_type/-rf.pdf")
		_, rows := rowsOf(f.t, f.render(writeCSV, Options{}))
		for i, want := range []map[string]string{
			{"source": "'" + evil, "error": "'@" + evil, "type": ""}, {"source": "'-rf.pdf", "type": "'+type"},
		} {
			for name, cell := range want {
				if rows[i][name] != cell {
					t.Errorf("%s is %q, want %q", name, rows[i][name], cell)
				}
			}
		}
	})
}
