package hook

import (
	"cmp"
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// event is what the program reads on its standard input.
type event struct {
	Version  int       `json:"version"`
	ID       int64     `json:"id"`
	Event    string    `json:"event"`
	At       string    `json:"at"`
	Document *document `json:"document,omitempty"`
	Hold     *hold     `json:"hold,omitempty"`
}

type document struct {
	ID         int64    `json:"id"`
	Source     string   `json:"source"`
	Path       string   `json:"path"`
	Type       *string  `json:"type"`
	Confidence *float64 `json:"confidence"`
	DecidedBy  *string  `json:"decided_by"`
	Error      *string  `json:"error"`
}

type hold struct {
	Kind   string  `json:"kind"`
	Reason string  `json:"reason"`
	Until  *string `json:"until"`
}

// encode writes an event as one line of JSON. Names that are not UTF-8 are escaped
// as in the report.
func encode(e *store.Event) []byte {
	v := event{Version: 1, ID: e.ID, Event: e.Kind, At: display.Stamp(e.At)}
	if e.Document == 0 {
		v.Hold = &hold{Kind: string(e.Hold), Reason: display.Text(e.Reason)}
		if !e.Until.IsZero() {
			v.Hold.Until = new(display.Stamp(e.Until))
		}
	} else {
		v.Document = &document{ID: e.Document, Source: display.Name(e.Source), Path: display.Name(e.Path)}
		if e.Type != "" {
			v.Document.Type, v.Document.DecidedBy = new(display.Text(e.Type)), new(string(e.DecidedBy))
		}
		if e.DecidedBy == store.ByService || e.Confidence > 0 {
			v.Document.Confidence = &e.Confidence
		}
		if e.Reason != "" {
			v.Document.Error = new(display.Text(e.Reason))
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and finite numbers
	}
	return append(b, '\n')
}

// environ is the whole environment of the program. Names are those on the disk, for
// programs that do not read JSON.
func environ(e *store.Event) []string {
	all := []string{
		"PATH=" + cmp.Or(os.Getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"), "LANG=C.UTF-8", "DOCUSORT_EVENT=" + e.Kind, "DOCUSORT_EVENT_ID=" + strconv.FormatInt(e.ID, 10),
		"DOCUSORT_EVENT_AT=" + display.Stamp(e.At),
	}
	add := func(name, value string) {
		if value != "" {
			all = append(all, "DOCUSORT_EVENT_"+name+"="+strings.ReplaceAll(value, "\x00", ""))
		}
	}
	if e.Document != 0 {
		add("DOCUMENT", strconv.FormatInt(e.Document, 10))
	}
	add("SOURCE", e.Source)
	add("PATH", e.Path)
	add("TYPE", e.Type)
	add("DECIDED_BY", string(e.DecidedBy))
	add("REASON", e.Reason)
	add("HOLD", string(e.Hold))
	return all
}
