package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mattn/go-sqlite3"
)

// Whatever code does, these rows cannot be stored.
func TestIllegalRowsAreUnstorable(t *testing.T) {
	s := openNew(t)
	id := identified(t, s, found("a", "a"), invoice)
	pending(t, s, found("b", "b"))
	for _, set := range []string{
		"state = 'done'", "state = ''", "state = NULL",
		"state = 'filed'",                     // without an end, without a target
		"state = 'filed', finished_at = 1",    // without a target
		"finished_at = 1",                     // unfinished with an end
		"state = 'gone'",                      // finished without one
		"state = 'pending', job_id = NULL",    // a job without an id
		"job_id = ''",                         //
		"sha256 = NULL",                       // identified, and not known as what
		"sha256 = x'00'",                      //
		"type = NULL", "identified_at = NULL", // identified as what, when?
		"outcome = NULL", "outcome = 'gone'", //
		"target = ''", "target = 'x'", // relative to what?
		"outcome = NULL, target = 'x', sorted = 1",                    //
		"state = 'review', finished_at = 1, sorted = 1, target = 'x'", // the outcome is filed
		"state = 'failed', finished_at = 1, sorted = 1, target = 'x'", //
		"confidence = 1.01", "confidence = -0.1",
		"source = ''", "source = 'b'", // the place of another one
		"inbox = 99", "options = 99", "sorted = 99",
		"size = 'big'", "discovered_at = NULL",
	} {
		err := s.do(ctx, "UPDATE documents SET "+set+" WHERE id = ?", id)
		var e sqlite3.Error
		if !errors.As(err, &e) || e.Code != sqlite3.ErrConstraint {
			t.Errorf("%s: %v", set, err)
		}
	}
	for _, set := range []string{"hold_kind = 'x', hold_reason = '', hold_since = 1", "hold_kind = 'disk'", "id = 2"} {
		check1(t, s.Started(ctx, 1))
		if err := s.do(ctx, "UPDATE daemon SET "+set); err == nil {
			t.Errorf("daemon: %s was stored", set)
		}
	}
}

func TestDurabilitySettings(t *testing.T) {
	s := openNew(t)
	check1(t, s.write(ctx, func(tx *tx) error {
		for name, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
			"journal_size_limit": "16777216", "temp_store": "2",
			"application_id": fmt.Sprint(applicationID),
		} {
			var have string
			if err := pragma(ctx, tx.conn, name, &have); err != nil || have != want {
				t.Errorf("%s = %q, %v, want %q", name, have, err, want)
			}
		}
		return nil
	}))
	var timeout string
	check1(t, s.read.QueryRow("PRAGMA busy_timeout").Scan(&timeout))
	same(t, "milliseconds that readers wait", timeout, "5000")
	if _, err := s.read.Exec("DELETE FROM documents"); err == nil {
		t.Error("a reader may write")
	}
}

// The driver takes a misspelt key in silence; what it was to set is read back.
func TestMisspeltSettingsAreNoticed(t *testing.T) {
	path := closed(t, 1)
	good := dsn(path, "rw", "_journal_mode", "WAL")
	for _, key := range []string{"_synchronous", "_foreign_keys", "_journal_mode"} {
		misspelt := strings.Replace(good, key, key+"x", 1)
		if key == "_journal_mode" {
			execSQL(t, path, "PRAGMA journal_mode = DELETE")
		}
		db := must[*sql.DB](t)(sql.Open("sqlite3", misspelt))
		conn := must[*sql.Conn](t)(db.Conn(ctx))
		if err := configure(ctx, conn); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(key, "_")) {
			t.Errorf("without %s: %v", key, err)
		}
		check1(t, conn.Close())
		check1(t, db.Close())
	}
}

func TestViews(t *testing.T) {
	s := openNew(t)
	filed := filed(t, s, found("a.pdf", "a"))
	a := found("b.pdf", "b")
	a.SHA256, a.Blocked = nil, "not readable"
	admit(t, s, a)
	check1(t, s.Close())
	db := must[*sql.DB](t)(sql.Open("sqlite3", s.path)) // no settings at all
	defer db.Close()
	var state, kind, first, last string
	var n int
	var confidence sql.NullFloat64
	rows := must[*sql.Rows](t)(db.Query("SELECT * FROM report"))
	defer rows.Close()
	var got []string
	for rows.Next() {
		check1(t, rows.Scan(&state, &kind, &n, &confidence, &first, &last))
		got = append(got, state+" "+kind)
	}
	check1(t, rows.Err())
	if strings.Join(got, ", ") != "waiting , filed invoice" || n != 1 || confidence.Float64 != 0.9 || len(first) != 19 || len(last) != 19 {
		t.Errorf("report: %q, %d, %v, %q, %q", got, n, confidence, first, last)
	}
	var path, sha, at string
	check1(t, db.QueryRow("SELECT path, sha256, finished_at FROM documents_report WHERE id = ?", filed).Scan(&path, &sha, &at))
	if path != "/sorted/x/1" || len(sha) != 64 || len(at) != len("2025-01-02T03:04:05.678Z") {
		t.Errorf("documents_report: %q, %q, %q", path, sha, at)
	}
	var waitingPath, waitingSHA sql.NullString
	check1(t, db.QueryRow("SELECT path, sha256 FROM documents_report WHERE state = 'waiting'").Scan(&waitingPath, &waitingSHA))
	if waitingPath.Valid || waitingSHA.Valid {
		t.Errorf("a document that waits, and cannot be read, has the path %+v and the hash %+v", waitingPath, waitingSHA)
	}
}

// TestChangedSchemaHasAnotherNumber: until it is released the schema may change in place,
// and then a database of an older build has to be refused.
func TestChangedSchemaHasAnotherNumber(t *testing.T) {
	sum := sha256.Sum256([]byte(documentsSchema))
	if got, want := hex.EncodeToString(sum[:4]), "f0f9aa16"; got != want {
		t.Errorf("the schema is %s, and was %s: if a database of before cannot be used, raise the constant schema; "+
			"then change what this test wants", got, want)
	}
}
