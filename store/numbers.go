package store

import (
	"encoding/json"
	"slices"
)

// numbers remembers the row numbers of folders, types and sets of type codes:
// there are few, and each document needs some.
type numbers struct {
	folders map[Folder]int64
	types   map[string]int64
	options map[string]int64 // by their codes, as they are stored
}

func newNumbers() numbers {
	return numbers{make(map[Folder]int64), make(map[string]int64), make(map[string]int64)}
}

// mostNumbers bounds each map. A folder counts as another one whenever something
// else is mounted there.
const mostNumbers = 1000

// number returns the row number of a key, which it gets when it is first seen.
func number[K comparable](t *tx, known map[K]int64, key K, find, insert string, args ...any) (int64, error) {
	if id, ok := known[key]; ok {
		return id, nil
	}
	var id int64
	found, err := t.find(find, args, &id)
	if !found && err == nil {
		id, err = t.add(insert, args...)
	}
	if err != nil {
		return 0, err
	}
	if len(known) >= mostNumbers {
		clear(known)
	}
	known[key] = id
	return id, nil
}

func (t *tx) folder(f Folder) (int64, error) {
	return number(t, t.known.folders, f, `SELECT id FROM folders WHERE path = ? AND device = ? AND inode = ?`,
		`INSERT INTO folders (path, device, inode) VALUES (?, ?, ?)`, f.Path, int64(f.Device), int64(f.Inode))
}

func (t *tx) typeNumber(code string) (int64, error) {
	return number(t, t.known.types, code, `SELECT id FROM types WHERE code = ?`, `INSERT INTO types (code) VALUES (?)`, code)
}

func (t *tx) optionSet(options []string) (int64, error) {
	codes, err := optionCodes(options)
	if err != nil {
		return 0, err
	}
	return number(t, t.known.options, codes, `SELECT id FROM option_sets WHERE codes = ?`,
		`INSERT INTO option_sets (codes) VALUES (?)`, codes)
}

// optionCodes is how a set of type codes is stored, in whatever order and however
// often they are given.
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
