package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
)

// recorder is a driver that keeps what it is asked, to the letter.
type recorder struct {
	dsn  string
	seen *[]string
}

type recordingConn struct {
	*sqlite3.SQLiteConn
	seen *[]string
}

func (r recorder) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (r recorder) Connect(context.Context) (driver.Conn, error) {
	c, err := r.Driver().Open(r.dsn)
	if err != nil {
		return nil, err
	}
	return recordingConn{c.(*sqlite3.SQLiteConn), r.seen}, nil
}

func (c recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	*c.seen = append(*c.seen, query)
	return c.SQLiteConn.QueryContext(ctx, query, args)
}

func (c recordingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	*c.seen = append(*c.seen, query)
	return c.SQLiteConn.ExecContext(ctx, query, args)
}

// openRecorded opens a store and keeps what its writer asks.
func openRecorded(t *testing.T) (*Store, *[]string) {
	t.Helper()
	var seen []string
	s := newStore(Config{}, openNew(t).path, must[*os.File](t)(os.Open(os.DevNull)))
	s.beside = true
	check1(t, s.connect(ctx))
	check1(t, errors.Join(s.conn.Close(), s.db.Close()))
	s.db = sql.OpenDB(recorder{dsn(s.path, "rw"), &seen})
	s.conn = must[*sql.Conn](t)(s.db.Conn(ctx))
	s.writing.Go(s.runWriter)
	t.Cleanup(func() { check1(t, s.Close()) })
	return s, &seen
}

// statements returns what was recorded and begins with one of these words, each once.
func statements(seen []string, words ...string) []string {
	seen = slices.DeleteFunc(slices.Clone(seen), func(query string) bool {
		word, _, _ := strings.Cut(query, " ")
		return !slices.Contains(words, word)
	})
	slices.Sort(seen)
	return slices.Compact(seen)
}

var placeholder = regexp.MustCompile(`\?[0-9]*`)

// plan returns how SQLite goes about a statement, a step a line.
func plan(t *testing.T, s *Store, query string) string {
	t.Helper()
	rows := must[*sql.Rows](t)(s.read.Query("EXPLAIN QUERY PLAN " + placeholder.ReplaceAllString(query, "1")))
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		check1(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	check1(t, rows.Err())
	return strings.Join(steps, "\n")
}

// whole matches a step that looks at every document.
var whole = regexp.MustCompile(`(?m)^SCAN (documents|d|g|o)( USING INDEX documents_content.*)?$`)

// planned is a question, the index that it must use, and whether it may sort what it
// finds, because that is little.
type planned struct {
	name  string
	ask   func() error
	index string
	sorts bool
}

// checkPlans asks, and looks how SQLite goes about what it was asked: seen.
func checkPlans(t *testing.T, s *Store, seen *[]string, questions []planned) {
	t.Helper()
	for _, q := range questions {
		*seen = nil
		check1(t, q.ask())
		queries := slices.Clone(*seen)
		if len(queries) == 0 {
			t.Errorf("%s asked nothing", q.name)
		}
		for _, query := range queries {
			if strings.Contains(query, "FROM not_taken") {
				continue // all of it is wanted, and it is bounded
			}
			got := plan(t, s, query)
			if !strings.Contains(got, q.index) || whole.MatchString(got) {
				t.Errorf("%s: without %s\n%s\n%s", q.name, q.index, query, got)
			}
			if strings.Contains(got, "TEMP B-TREE") && !q.sorts {
				t.Errorf("%s sorts\n%s", q.name, got)
			}
		}
	}
}

// The daemon asks these all the time; finished documents, of which there may be
// millions, must not be looked at for them.
func TestQueriesOfTheDaemonUseIndexes(t *testing.T) {
	s := openNew(t)
	var seen []string
	check1(t, s.read.Close())
	s.read = sql.OpenDB(recorder{dsn(s.path, "ro"), &seen})
	s.from = s.read
	now := time.Now()
	checkPlans(t, s, &seen, []planned{
		{"Known", func() error { _, err := s.Known(ctx, "a", Identity{}); return err }, "documents_source", false},
		{"Due", func() error { _, err := s.Due(ctx, PhaseReady, now, 9); return err }, "documents_phase", false},
		{"NextDue", func() error { _, err := s.NextDue(ctx, PhaseReady, now); return err }, "documents_phase", false},
		{"Pending", func() error { _, err := s.Pending(ctx); return err }, "documents_phase", true},
		{"Untried", func() error { _, err := s.Untried(ctx, 9); return err }, "documents_phase", false},
		{"Tried", func() error { _, err := s.Tried(ctx, 9); return err }, "documents_phase", true},
		{"Waiting", func() error { _, err := s.Waiting(ctx, 0, 9); return err }, "documents_phase", true},
		{"AllUnfinished", func() error { _, err := s.AllUnfinished(ctx, 0, 9); return err }, "documents_phase", true},
		{"HasPlace", func() error { _, err := s.HasPlace(ctx, 1, hash("a"), "/sorted", "a"); return err }, "documents_content", false},
		{"Counts", func() error { _, err := s.Counts(ctx); return err }, "documents_phase", false},
		{"Left", func() error { _, err := s.Left(ctx, now); return err }, "documents_phase", false},
		{"Stuck", func() error { _, err := s.Stuck(ctx); return err }, "INDEX documents_trouble", false},
		{"MarkStuck", func() error { _, err := s.MarkStuck(ctx, now); return err }, "INDEX documents_trouble", false},
		{"Finished", func() error { _, err := s.Finished(ctx, now); return err }, "documents_finished", true},
		{"LastMoved", func() error { return s.LastMoved(ctx, time.Minute, nil) }, "documents_finished", false},
		{"AsideMatches", func() error { _, err := s.AsideMatches(ctx, "a", hash("a"), Identity{}); return err }, "documents_content", true},
		{"AsideMatches, unread", func() error { _, err := s.AsideMatches(ctx, "a", nil, Identity{}); return err }, "documents_unread", true},
		{"Decisions", func() error { _, err := s.Decisions(ctx); return err }, "decisions", false},
		{"Aside", func() error { return s.Aside(ctx, "/sorted", nil) }, "documents_review", false},
		{"KnowsFolder", func() error { _, err := s.KnowsFolder(ctx, "/in"); return err }, "folders", false},
		{"Document", func() error { _, err := s.Document(ctx, 1); _ = err; return nil }, "INTEGER PRIMARY KEY", false},
	})
}

// So must the statements of every transition.
func TestTransitionsUseIndexes(t *testing.T) {
	s, seen := openRecorded(t)
	for _, tr := range transitions {
		_ = tr.run(s, 99) // there is none; it is asked about all the same
	}
	id := pending(t, s, found("a", "a"))
	ask(t, s, admit(t, s, found("b", "a")).ID, request)
	must[Document](t)(s.JobEnded(ctx, id, JobEnd{Open: true, MaxAttempts: 9}))
	ask(t, s, id, request) // its own job again
	check1(t, s.Gone(ctx, id, ""))
	ask(t, s, admit(t, s, found("a", "a")).ID, request) // and that job is taken over
	move(t, s, identified(t, s, found("c", "c"), invoice))
	admit(t, s, found("d", "c"))
	check1(t, s.Stopped(ctx))
	must[int64](t)(s.Prune(ctx, time.Time{}, 9))
	queries := statements(*seen, "DELETE", "INSERT", "SELECT", "UPDATE")
	if len(queries) < 25 {
		t.Errorf("only %d statements", len(queries))
	}
	for _, query := range queries {
		if !strings.Contains(query, "documents") {
			continue
		}
		if got := plan(t, s, query); whole.MatchString(got) {
			t.Errorf("looks at every document:\n%s\n%s", query, got)
		}
	}
}

// What an ordinary document needs makes SQLite build no table for the time of a
// statement, neither for what it asks nor for the checks and indexes of what it
// changes: that would cost more than all the rest.
func TestTransitionsBuildNoTables(t *testing.T) {
	s, seen := openRecorded(t)
	check1(t, take(s, 1))
	check1(t, fileAway(s))
	queries := statements(*seen, "INSERT", "SELECT", "UPDATE")
	if len(queries) < 7 {
		t.Errorf("only %d statements", len(queries))
	}
	for _, query := range queries {
		// A reading connection knows of no checks.
		rows := must[*sql.Rows](t)(s.conn.QueryContext(ctx, "EXPLAIN "+placeholder.ReplaceAllString(query, "1")))
		for rows.Next() {
			var address, p1, p2, p3, p5 int
			var opcode string
			var p4, comment any
			check1(t, rows.Scan(&address, &opcode, &p1, &p2, &p3, &p4, &p5, &comment))
			if strings.HasPrefix(opcode, "OpenEphemeral") || strings.HasPrefix(opcode, "OpenAuto") || strings.HasPrefix(opcode, "Sorter") {
				t.Errorf("%s in %s", opcode, query)
			}
		}
		check1(t, errors.Join(rows.Err(), rows.Close()))
	}
}

// SQLite plans a statement anew where it was planned for the value of a parameter,
// see [selectDocuments]. That must not happen to what an ordinary document needs.
func TestNothingIsPlannedForEachDocument(t *testing.T) {
	s := openNew(t)
	s.read.SetMaxOpenConns(1)
	planned := 0
	count := func(driver any) error {
		driver.(*sqlite3.SQLiteConn).RegisterAuthorizer(func(op int, _, _, _ string) int {
			if op != sqlite3.SQLITE_TRANSACTION { // BEGIN and COMMIT
				planned++ // asked by whatever is planned
			}
			return sqlite3.SQLITE_OK
		})
		return nil
	}
	reading := must[*sql.Conn](t)(s.read.Conn(ctx))
	check1(t, reading.Raw(count))
	check1(t, reading.Close())
	check1(t, s.write(ctx, func(tx *tx) error { return tx.conn.Raw(count) }))
	before := 0
	for n := range int64(3) {
		before = planned
		a := found(fmt.Sprint(n), fmt.Sprint(n))
		must[bool](t)(s.Known(ctx, a.Source, a.Identity))
		must[[]Document](t)(s.AsideMatches(ctx, a.Source, a.SHA256, a.Identity))
		check1(t, take(s, n))
		must[[]Document](t)(s.Due(ctx, PhaseReady, time.Now(), 9))
		must[time.Time](t)(s.NextDue(ctx, PhaseReady, time.Now()))
		check1(t, fileAway(s))
	}
	if before == 0 || planned > before {
		t.Errorf("SQLite asked %d times what may be done for two documents, and %d times for the next", before, planned-before)
	}
}
