package status

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"docusort/store"
)

// query is what a page shows: an overview, or a list of the documents that it selects.
type query struct {
	window           window
	isList           bool
	state            store.State // or one of the groups; empty: any
	typeCode, search string
	page             int // of a list, from 1
}

// The groups that a list can be limited to in place of a state.
const (
	unfinished store.State = "unfinished" // something more happens to them
	stuck      store.State = "stuck"
)

// window is how far back the numbers and plots of a page go.
type window struct {
	Name, Text string
	back       time.Duration // 0: no limit
}

var windows = []window{
	{"1h", "1 hour", time.Hour}, {"24h", "24 hours", 24 * time.Hour}, {"7d", "7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour}, {"all", "all", 0},
}

// maxWord is the longest type or name that can be asked for, in bytes: as long as a
// name can be.
const maxWord = 255

// parseQuery reads the parameters of a request. An overview goes back a day where
// nothing else is asked for, a list has all documents.
func parseQuery(v url.Values) (q query, err error) {
	q.isList = v.Has("state") || v.Has("type") || v.Has("name") || v.Has("page")
	usual := "24h"
	if q.isList {
		usual = "all"
	}
	name := cmp.Or(v.Get("window"), usual)
	i := slices.IndexFunc(windows, func(w window) bool { return w.Name == name })
	if i < 0 {
		return q, errors.New("unknown window")
	}
	q.window = windows[i]
	q.state, q.typeCode, q.search = store.State(v.Get("state")), v.Get("type"), strings.TrimSpace(v.Get("name"))
	if q.state != "" && !slices.Contains(states(), q.state) {
		return q, errors.New("unknown state")
	}
	if max(len(q.typeCode), len(q.search)) > maxWord {
		return q, errors.New("type or name too long")
	}
	q.page, err = strconv.Atoi(cmp.Or(v.Get("page"), "1"))
	if err != nil || q.page < 1 || q.page > 1e6 {
		return q, errors.New("no such page")
	}
	return q, nil
}

// states are what a list can be limited to.
func states() []store.State { return append([]store.State{unfinished, stuck}, store.States()...) }

// href is where the page is.
func (q query) href() string { return "/?" + q.params() }

func (q query) params() string {
	v := url.Values{"window": {q.window.Name}}
	if q.isList {
		v["state"], v["type"], v["name"] = []string{string(q.state)}, []string{q.typeCode}, []string{q.search}
	}
	if q.page > 1 {
		v.Set("page", strconv.Itoa(q.page))
	}
	return v.Encode()
}

// in returns the same for another window.
func (q query) in(w window) query {
	q.window, q.page = w, 1
	return q
}

func (q query) at(page int) query {
	q.page = page
	return q
}

// filter selects the documents of the query.
func (q query) filter(now time.Time) store.Filter {
	f := store.Filter{State: q.state, Type: q.typeCode, Name: q.search}
	switch q.state {
	case unfinished:
		f.State, f.Unfinished = "", true
	case stuck:
		f.State, f.Stuck = "", true
	}
	if q.window.back > 0 {
		f.Since = now.Add(-q.window.back)
	}
	return f
}

// asked serves what depends on what a request asks for.
func asked(serve func(http.ResponseWriter, *http.Request, query)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := parseQuery(r.URL.Query())
		if err != nil {
			http.Error(w, "There is no such page: "+err.Error()+".", http.StatusNotFound)
			return
		}
		serve(w, r, q)
	}
}
