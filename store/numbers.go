package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
)

// numbers remembers the row numbers of folders, types and sets of type codes:
// there are few, and each document needs some.
type numbers struct {
	folders  map[Folder]int64
	types    map[string]int64
	options  map[string]int64 // by their codes, as they are stored
	accepted map[int64]bool   // sets whose accepted_at is known to be stored
	newest   struct {         // the set that was used last, most often the only one
		options []string
		id      int64
	}
}

func newNumbers() numbers {
	return numbers{folders: make(map[Folder]int64), types: make(map[string]int64),
		options: make(map[string]int64), accepted: make(map[int64]bool)}
}

// mostNumbers bounds each map. A folder counts as another one whenever something
// else is mounted there.
const mostNumbers = 1000

// folder returns the number of a folder, which it gets when it is first seen.
func (t *tx) folder(f Folder) (int64, error) {
	if id, ok := t.known.folders[f]; ok {
		return id, nil
	}
	key := []any{f.Path, int64(f.Device), int64(f.Inode)}
	var id int64
	err := t.row(`SELECT id FROM folders WHERE path = ? AND device = ? AND inode = ?`, key, &id)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = t.add(`INSERT INTO folders (path, device, inode) VALUES (?, ?, ?)`, key...)
	}
	if err == nil {
		remember(t.known.folders, f, id)
	}
	return id, err
}

// optionSet returns the number of a set of type codes.
func (t *tx) optionSet(options []string) (int64, error) {
	newest := &t.known.newest
	if newest.id != 0 && slices.Equal(newest.options, options) {
		return newest.id, nil
	}
	id, err := t.optionSetOf(options)
	if err == nil {
		newest.options, newest.id = slices.Clone(options), id
	}
	return id, err
}

func (t *tx) optionSetOf(options []string) (int64, error) {
	codes, err := optionCodes(options)
	if err != nil {
		return 0, err
	}
	if id, ok := t.known.options[codes]; ok {
		return id, nil
	}
	var id int64
	err = t.row(`SELECT id FROM option_sets WHERE codes = ?`, []any{codes}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = t.add(`INSERT INTO option_sets (codes) VALUES (?)`, codes)
	}
	if err == nil {
		remember(t.known.options, codes, id)
	}
	return id, err
}

// typeNumber returns the number of a type, which it gets when it is first seen.
func (t *tx) typeNumber(code string) (int64, error) {
	if id, ok := t.known.types[code]; ok {
		return id, nil
	}
	var id int64
	err := t.row(`SELECT id FROM types WHERE code = ?`, []any{code}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = t.add(`INSERT INTO types (code) VALUES (?)`, code)
	}
	if err == nil {
		remember(t.known.types, code, id)
	}
	return id, err
}

func remember[K comparable, V any](numbers map[K]V, key K, id V) {
	if len(numbers) >= mostNumbers {
		clear(numbers)
	}
	numbers[key] = id
}

// optionCodes is how a set of type codes is stored, in whatever order and however often
// they are given.
func optionCodes(options []string) (string, error) {
	b, err := json.Marshal(slices.Compact(slices.Sorted(slices.Values(options))))
	return string(b), err
}

// text stores an empty string as NULL.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
