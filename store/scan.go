package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// columns reads rows of [selectDocuments], one column after another. NULL is the
// zero value. The conversions of database/sql would make a row half as expensive
// again. A columns can be used for many rows.
type columns struct {
	values [documentColumns]any
	dest   [documentColumns]any // pointers to values
	next   int
	err    error // the first value of another kind than it should be
}

// documentColumns is how many columns selectDocuments has.
const documentColumns = 38

type scanner interface{ Scan(dest ...any) error }

// document reads one row.
func (c *columns) document(row scanner) (Document, error) {
	if err := c.scan(row); err != nil {
		return Document{}, err
	}
	d := Document{
		ID:     c.integer(),
		Inbox:  Folder{Path: c.text(), Device: c.bits(), Inode: c.bits()},
		Source: c.text(),
		State:  State(c.text()), Phase: Phase(c.text()),
		Identity:    Identity{Device: c.bits(), Inode: c.bits(), Size: c.integer(), ModTime: c.integer(), ChangeTime: c.integer()},
		SHA256:      c.blob(),
		ContentType: c.text(),

		DiscoveredAt: c.time(), SubmittedAt: c.time(), IdentifiedAt: c.time(), FinishedAt: c.time(),

		JobID:       c.text(),
		Submissions: c.count(), Resubmissions: c.count(), Attempts: c.count(), AttemptsBeforeRetry: c.count(),
		Failures: c.count(), Polls: c.count(), OutcomeUnknown: c.flag(),
		JobAbandoned: c.flag(), AskedAgain: c.flag(), RetryAt: c.time(),

		Type: c.text(), Confidence: c.real(), Alternatives: c.json(), Reused: c.flag(),

		Outcome: State(c.text()), Sorted: c.text(), Target: c.text(), PutBack: c.text(), Error: c.text(),
	}
	return d, c.err
}

// scan reads the values of a row.
func (c *columns) scan(row scanner) error {
	for i := range c.dest {
		c.dest[i] = &c.values[i]
	}
	c.next, c.err = 0, nil
	return row.Scan(c.dest[:]...)
}

// column returns the next one.
func column[T any](c *columns) (value T) {
	from := c.values[c.next]
	c.next++
	value, ok := from.(T)
	if !ok && from != nil && c.err == nil {
		c.err = fmt.Errorf("column %d of a document is a %T, not a %T", c.next, from, value)
	}
	return value
}

func (c *columns) integer() int64 { return column[int64](c) }
func (c *columns) count() int     { return int(column[int64](c)) }
func (c *columns) flag() bool     { return column[int64](c) != 0 }
func (c *columns) real() float64  { return column[float64](c) }
func (c *columns) text() string   { return column[string](c) }
func (c *columns) blob() []byte   { return column[[]byte](c) }

// json is a text; NULL: nil.
func (c *columns) json() json.RawMessage {
	if text := c.text(); text != "" {
		return json.RawMessage(text)
	}
	return nil
}

// bits are those of an unsigned number: SQLite has signed ones only.
func (c *columns) bits() uint64 { return uint64(column[int64](c)) }

// time is one of Unix milliseconds; NULL: the zero time.
func (c *columns) time() time.Time {
	if c.values[c.next] == nil {
		c.next++
		return time.Time{}
	}
	return time.UnixMilli(column[int64](c))
}
