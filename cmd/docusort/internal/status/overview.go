package status

import (
	"context"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/report/web"
	"docusort/store"
)

// How many documents an overview lists.
const lastDocuments, lastAside, maxUnderway = 100, 10, 50

// content is what the sections of every page are made of.
type content struct {
	*web.Overview
	query  query
	Judged Health
}

// overview is what the sections of an overview are made of.
type overview struct {
	content
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

func readOverview(ctx context.Context, r *store.Reader, c content) (any, error) {
	data := overview{content: c}
	if err := c.Read(ctx, r); err != nil {
		return data, err
	}
	underway, err := r.Underway(ctx, maxUnderway)
	if err != nil {
		return data, err
	}
	if data.Failed, err = c.readAside(ctx, r, store.Failed); err != nil {
		return data, err
	}
	if data.Review, err = c.readAside(ctx, r, store.Review); err != nil {
		return data, err
	}
	last, err := r.Last(ctx, lastDocuments)
	data.Underway, data.Last = c.ShowAll(underway), c.ShowAll(last)
	if more := data.Open() - len(underway); more > 0 {
		data.More = display.Count(more)
	}
	return data, err
}

func (c content) readAside(ctx context.Context, r *store.Reader, state store.State) (aside, error) {
	docs, total, err := r.List(ctx, store.Filter{State: state}, 0, lastAside)
	return aside{c.ShowAll(docs), total > len(docs), display.Things(total, "document"), listOf(state, windows[len(windows)-1]).href()}, err
}

// listOf are the documents in a state.
func listOf(state store.State, w window) query {
	return query{isList: true, state: state, window: w}
}

// The methods below are for the templates. Numbers lead to the documents that they count.

func (o overview) Tiles() []web.Tile {
	tiles := o.Overview.Tiles()
	for i, t := range tiles {
		switch state := store.State(t.Class); {
		case t.Class == "open":
			tiles[i].Link = o.Listed(unfinished)
		case state == stuck || state.Finished():
			tiles[i].Link = o.Listed(state)
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

// Listed is where the documents in a state are listed.
func (o overview) Listed(state store.State) string { return listOf(state, o.query.window).href() }
