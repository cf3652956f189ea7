package settings

import (
	"reflect"
	"strings"
	"sync"
)

// Variable is one environment variable, described for people.
type Variable struct {
	Name string
	// Group is the heading under which it belongs; variables of one group
	// follow one another.
	Group string
	// Default as one would write it; $DOCUSORT_HOME stands for that setting's
	// value. Empty means none.
	Default string
	// Required variables have no default and no command that talks to the
	// service starts without them.
	Required bool
	// Meaning is a line of explanation without a full stop.
	Meaning string
}

// Describe lists every variable there is, in the order in which to show them.
func Describe() []Variable { return append([]Variable(nil), variables()...) }

// variables joins the texts below with the tags of Settings.
var variables = sync.OnceValue(func() []Variable {
	defaults := map[string]string{}
	for field := range reflect.TypeFor[Settings]().Fields() {
		if tag, ok := field.Tag.Lookup("env"); ok {
			name, rest, _ := strings.Cut(tag, ",")
			text := strings.TrimPrefix(rest, "default=")
			defaults[name] = strings.ReplaceAll(text, `\$`, `$`)
		}
	}
	var all []Variable
	for _, g := range groups {
		for _, t := range g.texts {
			all = append(all, Variable{
				Name: t.name, Group: g.title, Default: defaults[t.name],
				Required: t.name == "DOCUTRAY_API_KEY" || t.name == "DOCUSORT_DOCUMENT_TYPES",
				Meaning:  t.meaning,
			})
		}
	}
	return all
})

// defaultOf returns the default of a variable as Describe has it.
func defaultOf(name string) string {
	for _, v := range variables() {
		if v.Name == name {
			return v.Default
		}
	}
	return ""
}

type text struct{ name, meaning string }

// groups holds names and meanings only: defaults stand in the tags of Settings,
// and a test keeps both lists the same.
var groups = []struct {
	title string
	texts []text
}{
	{"The service", []text{
		{"DOCUTRAY_API_KEY", "the API key; or name a file below, or give the systemd credential docutray-api-key"},
		{"DOCUTRAY_API_KEY_FILE", "a file that holds the key and nothing else; read again when the service refuses the key"},
		{"DOCUTRAY_BASE_URL", "where the service is; plain http only for a loopback host"},
		{"DOCUSORT_DOCUMENT_TYPES", "type codes to choose from, comma-separated; `docusort types` lists them"},
		{"DOCUSORT_METADATA", "a JSON object sent with every document, such as {\"tenant\":\"a\"}"},
	}},
	{"Folders", []text{
		{"DOCUSORT_HOME", "parent of the next three; under systemd $STATE_DIRECTORY is the default"},
		{"DOCUSORT_INBOX", "the watched folder"},
		{"DOCUSORT_SORTED", "where documents go; not inside the inbox, nor the inbox inside it"},
		{"DOCUSORT_DATABASE", "the SQLite file; not inside the inbox or the sorted folder"},
	}},
	{"Taking documents", []text{
		{"DOCUSORT_WATCH", "inotify, poll, or auto: polls as well where the inbox is on a network or FUSE filesystem"},
		{"DOCUSORT_RESCAN", "time between full looks at the inbox, for what no event told of"},
		{"DOCUSORT_SETTLE", "a file is taken when its size and time have stood still this long"},
		{"DOCUSORT_INCOMPLETE_AFTER", "an empty file, or one that looks cut short, is taken anyway after standing still this long"},
		{"DOCUSORT_RECURSIVE", "look into subfolders of the inbox: true or false"},
		{"DOCUSORT_IGNORE", "patterns of file and folder names left alone, comma-separated; a single / for none"},
	}},
	{"Requests", []text{
		{"DOCUSORT_WORKERS", "uploads at a time, 1 to 1024"},
		{"DOCUSORT_MAX_PENDING", "jobs in flight at the service at a time, uploads under way included"},
		{"DOCUSORT_REQUESTS_PER_MINUTE", "limit for all requests, polls included; 0 for no limit of ours"},
		{"DOCUSORT_POLL_MIN", "shortest time between two polls of one job"},
		{"DOCUSORT_POLL_MAX", "longest time between two polls of one job"},
		{"DOCUSORT_JOB_TIMEOUT", "a job unfinished for this long is given up and submitted again"},
		{"DOCUSORT_MAX_ATTEMPTS", "jobs of one document that may fail, be lost or time out before the document fails"},
		{"DOCUSORT_REUSE_RESULTS", "identical content identified within this long is filed without asking again; 0 never"},
	}},
	{"Filing", []text{
		{"DOCUSORT_MIN_CONFIDENCE", "below this, 0 to 1, a document goes to review; the service advises 0.7"},
		{"DOCUSORT_SIDECAR", "write NAME.json with type, confidence and job beside each filed document: true or false"},
		{"DOCUSORT_KEEP_HISTORY", "finished documents older than this leave the database; 0 keeps them for ever"},
	}},
	{"The daemon", []text{
		{"DOCUSORT_SHUTDOWN_GRACE", "how long uploads under way may take to finish at a stop"},
		{"DOCUSORT_HOOK", "path of a program run for each event, with the event as JSON on its standard input"},
		{"DOCUSORT_HTTP_ADDR", "address of the status page, /metrics and /healthz, such as 9464, which only this machine reaches; 0.0.0.0:9464 is for everybody on the network, and without a password"},
		{"DOCUSORT_LOG_LEVEL", "debug, info, warn or error"},
		{"DOCUSORT_LOG_FORMAT", "text, json, or auto: coloured on a terminal, plain text otherwise"},
	}},
}
