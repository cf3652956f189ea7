package settings

import (
	"encoding/json"
	"log/slog"
	"time"
)

// DefaultConfigFile is read when no other file is named and it exists.
const DefaultConfigFile = "/etc/docusort/docusort.env"

// CredentialName is the name of the systemd credential that may hold the key.
const CredentialName = "docutray-api-key"

// Watch says how the inbox is watched.
type Watch string

// The ways to watch an inbox.
const (
	WatchAuto    Watch = "auto"    // inotify; polls as well on network and FUSE filesystems
	WatchInotify Watch = "inotify" // events and the slow rescan
	WatchPoll    Watch = "poll"    // a full look every Rescan, no events
)

// The log formats.
const (
	LogAuto = "auto" // coloured on a terminal, plain text otherwise
	LogText = "text"
	LogJSON = "json"
)

// Settings is everything that a user can set, checked and complete. All paths
// are absolute and clean, all durations are zero or more. A field's tag holds
// its variable and default; [Describe] tells what each means.
type Settings struct {
	// Key is empty unless NeedKey was asked for.
	Key Key `env:"DOCUTRAY_API_KEY"`
	// KeyFile is the file from which Key was read, the systemd credential
	// included, to be read again with [ReadKey] after a 401; empty where the
	// key stands in the environment itself.
	KeyFile string `env:"DOCUTRAY_API_KEY_FILE"`
	// BaseURL has no slash at its end.
	BaseURL string `env:"DOCUTRAY_BASE_URL,default=https://app.docutray.com"`
	// DocumentTypes keeps the user's order; empty only where not needed.
	DocumentTypes []string `env:"DOCUSORT_DOCUMENT_TYPES"`
	// Metadata is a compact JSON object with sorted names, or nil.
	Metadata json.RawMessage `env:"DOCUSORT_METADATA"`

	Home     string `env:"DOCUSORT_HOME,default=/var/lib/docusort"`
	Inbox    string `env:"DOCUSORT_INBOX,default=$DOCUSORT_HOME/inbox"`
	Sorted   string `env:"DOCUSORT_SORTED,default=$DOCUSORT_HOME/sorted"`
	Database string `env:"DOCUSORT_DATABASE,default=$DOCUSORT_HOME/docusort.db"`

	Watch           Watch         `env:"DOCUSORT_WATCH,default=auto"`
	Rescan          time.Duration `env:"DOCUSORT_RESCAN,default=1m"`
	Settle          time.Duration `env:"DOCUSORT_SETTLE,default=5s"`
	IncompleteAfter time.Duration `env:"DOCUSORT_INCOMPLETE_AFTER,default=5m"` // never less than Settle
	Recursive       bool          `env:"DOCUSORT_RECURSIVE,default=true"`
	// Ignore holds patterns for path.Match, each valid and without a slash.
	Ignore []string `env:"DOCUSORT_IGNORE,default=.*,*~,~\\$*,*.tmp,*.part,*.partial,*.crdownload,*.download,*.filepart,@eaDir,__MACOSX,Thumbs.db,desktop.ini"`

	Workers           int           `env:"DOCUSORT_WORKERS,default=4"`
	MaxPending        int           `env:"DOCUSORT_MAX_PENDING,default=100"`
	RequestsPerMinute int           `env:"DOCUSORT_REQUESTS_PER_MINUTE,default=0"` // 0: no limit of ours
	PollMin           time.Duration `env:"DOCUSORT_POLL_MIN,default=500ms"`
	PollMax           time.Duration `env:"DOCUSORT_POLL_MAX,default=30s"` // never less than PollMin
	JobTimeout        time.Duration `env:"DOCUSORT_JOB_TIMEOUT,default=1h"`
	MaxAttempts       int           `env:"DOCUSORT_MAX_ATTEMPTS,default=5"`
	MinConfidence     float64       `env:"DOCUSORT_MIN_CONFIDENCE,default=0"`   // 0 to 1
	ReuseResults      time.Duration `env:"DOCUSORT_REUSE_RESULTS,default=720h"` // 0: never

	Sidecar       bool          `env:"DOCUSORT_SIDECAR,default=false"`
	ShutdownGrace time.Duration `env:"DOCUSORT_SHUTDOWN_GRACE,default=25s"`
	KeepHistory   time.Duration `env:"DOCUSORT_KEEP_HISTORY,default=0"` // 0: for ever
	Hook          string        `env:"DOCUSORT_HOOK"`                   // a program's path, or empty
	HTTPAddr      string        `env:"DOCUSORT_HTTP_ADDR"`              // host:port, the host never empty, or empty
	LogLevel      slog.Level    `env:"DOCUSORT_LOG_LEVEL,default=info"`
	LogFormat     string        `env:"DOCUSORT_LOG_FORMAT,default=auto"` // LogAuto, LogText or LogJSON

	// ConfigFile is the file that was read; empty where there was none.
	ConfigFile string
	// ConfigSkipped says why [DefaultConfigFile] exists but was left unread: we
	// have no permission. That is fine where all that is needed is set anyway
	// (systemd may have read the file for us) and for people who only look at
	// reports; a command that then finds nothing where it looks should say so.
	ConfigSkipped error
}

// Need says what a command cannot do without: a set of bits.
type Need int

// What a command may need. The zero Need, that of report and retry, is
// neither: then the key is not read from any file.
const (
	NeedKey   Need = 1 << iota // the API key
	NeedTypes                  // at least one document type
)
