package status

import (
	"context"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/web"
	"docusort/cmd/docusort/internal/settings"
	"docusort/store"
)

// How many documents an overview lists.
const lastDocuments, lastAside, maxUnderway = 100, 10, 50

// overview is what the sections of an overview are made of.
type overview struct {
	*web.Overview
	query          query
	Judged         Health
	Underway, Last []web.Document
	More           string // how many documents under way are not listed; empty: none
	Failed, Review aside
}

// aside are documents that wait for a person, however long ago they were put aside.
type aside struct {
	Docs   []web.Document // the newest of them
	IsPart bool           // there are more
	Count  string         // of all of them
	All    string         // where they are listed
}

func readOverview(ctx context.Context, r *store.Reader, q query, now time.Time) (data overview, err error) {
	data.query = q
	if data.Overview, err = web.Read(ctx, r, q.filter(now), now); err != nil {
		return data, err
	}
	underway, err := r.Underway(ctx, maxUnderway)
	if err != nil {
		return data, err
	}
	if data.Failed, err = readAside(ctx, r, store.Failed, now); err != nil {
		return data, err
	}
	if data.Review, err = readAside(ctx, r, store.Review, now); err != nil {
		return data, err
	}
	last, err := r.Last(ctx, lastDocuments)
	data.Underway, data.Last = shown(underway, now), shown(last, now)
	if more := data.Open() - len(underway); more > 0 {
		data.More = display.Count(more)
	}
	return data, err
}

func readAside(ctx context.Context, r *store.Reader, state store.State, now time.Time) (aside, error) {
	docs, total, err := r.List(ctx, store.Filter{State: state}, 0, lastAside)
	return aside{shown(docs, now), total > len(docs), display.Things(total, "document"), listOf(state, windows[len(windows)-1]).href()}, err
}

// listOf are the documents in a state.
func listOf(state store.State, w window) query {
	return query{isList: true, state: state, window: w}
}

func shown(docs []store.Document, now time.Time) []web.Document {
	out := make([]web.Document, 0, len(docs))
	for i := range docs {
		out = append(out, web.Show(&docs[i], now))
	}
	return out
}

// nameCommands sets the source of the commands that documents name.
func nameCommands(docs []web.Document, from settings.Source) {
	for i := range docs {
		docs[i] = docs[i].From(from)
	}
}

// The methods below are for the templates. Numbers lead to the documents that they count.

func (o overview) Tiles() []web.Tile {
	tiles := o.Overview.Tiles()
	for i, t := range tiles {
		switch state := store.State(t.Class); {
		case t.Class == "open":
			tiles[i].Link = listOf(unfinished, o.query.window).href()
		case state == stuck || state.Finished():
			tiles[i].Link = listOf(state, o.query.window).href()
		}
	}
	return tiles
}

func (o overview) Types() []web.Row {
	rows := o.Overview.Types()
	for i, t := range o.Summary.Types {
		q := listOf("", o.query.window)
		q.typeCode = t.Type
		rows[i].Link = q.href()
	}
	return rows
}

func (o overview) AllUnderway() string { return listOf(unfinished, o.query.window).href() }

func (o overview) AllStuck() string { return listOf(stuck, o.query.window).href() }

func (o overview) AllFinished() string { return listOf("", windows[len(windows)-1]).href() }
