package settings

import "slices"

// Variable is one environment variable, described for people.
type Variable struct {
	Name string
	// Group is the heading under which it is listed; the variables of a group
	// follow one another.
	Group string
	// Default is written as a user would; $DOCUSORT_HOME stands for the value of
	// that setting. Empty means none.
	Default string
	// Required variables have no default, and no command that talks to the
	// service starts without them.
	Required bool
	// Meaning is one line without a full stop.
	Meaning string

	// check takes a trimmed value that is not empty and returns it as envconfig
	// decodes it, or says what is wrong and what to do. nil takes any value: the key
	// is checked when it is found.
	check func(string) (string, error)
}

// Describe lists every variable in the order in which to show them.
func Describe() []Variable { return slices.Clone(variables) }

const (
	// KeyName is the variable that holds the key.
	KeyName     = "DOCUTRAY_API_KEY"
	keyFileName = "DOCUTRAY_API_KEY_FILE"
	homeName    = "DOCUSORT_HOME"
	typesName   = "DOCUSORT_DOCUMENT_TYPES"
)

const (
	service  = "The service"
	folders  = "Folders"
	taking   = "Taking documents"
	requests = "Requests"
	sorting  = "Filing"
	daemon   = "The daemon"
)

// defaultIgnore are temporary files of programs that write and transfer, what macOS,
// Windows and file servers put beside documents, and folders of deleted and earlier
// files.
const defaultIgnore = ".*,*~,~$*,*.tmp,*.part,*.partial,*.crdownload,*.opdownload,*.download," +
	"*.filepart,*.aria2,*.sb-*,*:Zone.Identifier,@eaDir,@Recycle,@Recently-Snapshot,#recycle," +
	"#snapshot,$RECYCLE.BIN,RECYCLER,System Volume Information,lost+found,__MACOSX,Thumbs.db,ehthumbs.db,desktop.ini"

var variables = []Variable{
	{KeyName, service, "", true, "the API key, never in a file that others can read; or name a file below; the service takes it from /etc/docusort/api-key, as the systemd credential docutray-api-key", nil},
	{keyFileName, service, "", false, "a file that holds the key and nothing else, of mode 600; read again when the service refuses the key", path},
	{"DOCUTRAY_BASE_URL", service, "https://app.docutray.com", false, "where the service is; plain http only for a loopback host", baseURL},
	{typesName, service, "", true, "type codes to choose from, comma-separated; `docusort types` lists them", documentTypes},
	{"HTTPS_PROXY", service, "", false, "address of the proxy through which the service is reached, such as http://proxy.example.com:3128", proxyURL},
	{"NO_PROXY", service, "", false, "hosts that are reached without the proxy, comma-separated", nil},
	{certFileName, service, "", false, "a PEM file of certificates to trust beside the system's, for a proxy that opens TLS", path},
	{certDirName, service, "", false, "a folder of such files", path},
	{"DOCUSORT_METADATA", service, "", false, `a JSON object sent with every document, such as {"tenant":"a"}`, metadata},

	{homeName, folders, "/var/lib/docusort", false, "parent of the next three; under systemd $STATE_DIRECTORY is the default", path},
	{"DOCUSORT_INBOX", folders, "$DOCUSORT_HOME/inbox", false, "the watched folder", path},
	{"DOCUSORT_SORTED", folders, "$DOCUSORT_HOME/sorted", false, "where documents go; not inside the inbox, nor the inbox inside it", path},
	{"DOCUSORT_FOLDERS", folders, "{type}", false, "the folder of a filed document beneath the sorted folder, from {type}, {year}, {month}, {day} (when it was discovered) and fixed text, such as {type}/{year}", typeFolders},
	{"DOCUSORT_DATABASE", folders, "$DOCUSORT_HOME/docusort.db", false, "the SQLite file; not inside the inbox or the sorted folder", path},

	{"DOCUSORT_WATCH", taking, "auto", false, "inotify, poll, or auto: polls as well where the inbox is on a network or FUSE filesystem", oneOf("auto", "inotify", "poll")},
	{"DOCUSORT_RESCAN", taking, "1m", false, "time between full looks at the inbox, for what no event told of", duration(shortest)},
	{"DOCUSORT_SETTLE", taking, "5s", false, "a file is taken when its size and time have stood still this long", duration(shortest)},
	{"DOCUSORT_INCOMPLETE_AFTER", taking, "5m", false, "an empty file, or one that looks cut short, is taken anyway after standing still this long", duration(shortest)},
	{"DOCUSORT_RECURSIVE", taking, "true", false, "look into subfolders of the inbox: true or false", boolean},
	{"DOCUSORT_IGNORE", taking, defaultIgnore, false, "patterns of file and folder names left alone, comma-separated, upper and lower case alike; a single / for none", ignore},

	{"DOCUSORT_WORKERS", requests, "4", false, "uploads at a time, 1 to 1024", number(1, 1024)},
	{"DOCUSORT_MAX_PENDING", requests, "100", false, "jobs in flight at the service at a time, uploads under way included", number(1, 100_000)},
	{"DOCUSORT_REQUESTS_PER_MINUTE", requests, "0", false, "limit for all requests, polls included; 0 for no limit of ours", number(0, 1_000_000)},
	{"DOCUSORT_POLL_MIN", requests, "500ms", false, "shortest time between two polls of one job", duration(shortest)},
	{"DOCUSORT_POLL_MAX", requests, "30s", false, "longest time between two polls of one job", duration(shortest)},
	{"DOCUSORT_JOB_TIMEOUT", requests, "1h", false, "a job unfinished for this long is given up and submitted again", duration(shortest)},
	{"DOCUSORT_MAX_ATTEMPTS", requests, "5", false, "jobs of one document that may fail, be lost or time out before the document fails", number(1, 1000)},
	{"DOCUSORT_REUSE_RESULTS", requests, "720h", false, "identical content identified within this long is filed without asking again; 0 never", duration(0)},

	{"DOCUSORT_MIN_CONFIDENCE", sorting, "0", false, "below this, 0 to 1, a document goes to review; the service advises 0.7", confidence},
	{"DOCUSORT_SIDECAR", sorting, "false", false, "write NAME.json with type, confidence and job beside each filed document: true or false", boolean},
	{"DOCUSORT_KEEP_HISTORY", sorting, "0", false, "finished documents older than this leave the database; 0 keeps them for ever", duration(0)},

	{"DOCUSORT_STUCK_AFTER", daemon, "15m", false, "a document unfinished this long for a reason of its own (not readable, not movable, refused again and again) is shown as stuck", duration(shortest)},
	{"DOCUSORT_SHUTDOWN_GRACE", daemon, "25s", false, "how long uploads under way may take to finish at a stop", duration(0)},
	{"DOCUSORT_HOOK", daemon, "", false, "path of a program run for each event, with the event as JSON on its standard input", path},
	{"DOCUSORT_HTTP_ADDR", daemon, "", false, "address of the status page, /metrics and /healthz, such as 9464, which everybody on this machine reaches, and so what the folders hide; unix:/run/docusort/page is a socket for the group; 0.0.0.0:9464 is for everybody on the network, and without a password", httpAddr},
	{"DOCUSORT_LOG_LEVEL", daemon, "info", false, "debug, info, warn or error", oneOf("debug", "info", "warn", "error")},
	{"DOCUSORT_LOG_FORMAT", daemon, "auto", false, "text, json, or auto: coloured on a terminal, plain text otherwise", oneOf("auto", "text", "json")},
}
