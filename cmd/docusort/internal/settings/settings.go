package settings

import (
	"crypto/x509"
	"encoding/json"
	"io/fs"
	"log/slog"
	"time"

	"docusort/pipeline/docutray"
)

// DefaultConfigFile is read where it exists and no other file is named.
const DefaultConfigFile = "/etc/docusort/docusort.env"

// CredentialName is the systemd credential that may hold the key.
const CredentialName = "docutray-api-key"

// FolderMode is the mode of a folder that is made because it is missing: its owner's, and
// the group may look.
const FolderMode fs.FileMode = 0o750

// Settings is everything that a user can set, checked and complete. All paths
// are absolute and clean, all durations are zero or more. [Describe] has the
// defaults, and says what each one means.
type Settings struct {
	Source

	// Keys is nil unless NeedKey was asked for.
	Keys docutray.KeySource
	// KeyFile is the file that the key comes from, which may be the systemd
	// credential; empty where the key stands in the environment itself.
	KeyFile string `env:"DOCUTRAY_API_KEY_FILE"`
	// KeyExposed is the file with the key where others than its owner can read it;
	// empty where they cannot.
	KeyExposed string
	// KeyOfRoot is the service's file with the key where this user may not read it.
	KeyOfRoot string
	// BaseURL has no slash at its end.
	BaseURL string `env:"DOCUTRAY_BASE_URL"`
	// HTTPSProxy is the proxy's URL, or empty; it may contain a password.
	HTTPSProxy string `env:"HTTPS_PROXY"`
	NoProxy    string `env:"NO_PROXY"` // hosts that are reached without the proxy, comma-separated
	CertFile   string `env:"SSL_CERT_FILE"`
	CertDir    string `env:"SSL_CERT_DIR"`
	// RootCAs are what CertFile, CertDir and the system trust; nil means the system's,
	// and always where NeedKey was not asked for.
	RootCAs *x509.CertPool `env:", noinit"`
	// DocumentTypes keeps the user's order; it is empty only where not needed.
	DocumentTypes []string `env:"DOCUSORT_DOCUMENT_TYPES"`
	// Metadata is a compact JSON object with sorted names, or nil.
	Metadata json.RawMessage `env:"DOCUSORT_METADATA"`

	Home     string `env:"DOCUSORT_HOME"`
	Inbox    string `env:"DOCUSORT_INBOX"`
	Sorted   string `env:"DOCUSORT_SORTED"`
	Folders  string `env:"DOCUSORT_FOLDERS"` // for filing.ParseFolders, which takes it
	Database string `env:"DOCUSORT_DATABASE"`

	Watch           string        `env:"DOCUSORT_WATCH"` // auto, inotify or poll
	Rescan          time.Duration `env:"DOCUSORT_RESCAN"`
	Settle          time.Duration `env:"DOCUSORT_SETTLE"`
	IncompleteAfter time.Duration `env:"DOCUSORT_INCOMPLETE_AFTER"` // never less than Settle
	Recursive       bool          `env:"DOCUSORT_RECURSIVE"`
	Ignore          []string      `env:"DOCUSORT_IGNORE"` // for path.Match, each valid and without a slash

	Workers           int           `env:"DOCUSORT_WORKERS"`
	MaxPending        int           `env:"DOCUSORT_MAX_PENDING"`
	RequestsPerMinute int           `env:"DOCUSORT_REQUESTS_PER_MINUTE"` // 0: no limit
	PollMin           time.Duration `env:"DOCUSORT_POLL_MIN"`
	PollMax           time.Duration `env:"DOCUSORT_POLL_MAX"` // never less than PollMin
	JobTimeout        time.Duration `env:"DOCUSORT_JOB_TIMEOUT"`
	MaxAttempts       int           `env:"DOCUSORT_MAX_ATTEMPTS"`
	MinConfidence     float64       `env:"DOCUSORT_MIN_CONFIDENCE"` // 0 to 1
	ReuseResults      time.Duration `env:"DOCUSORT_REUSE_RESULTS"`  // 0: never

	Sidecar       bool          `env:"DOCUSORT_SIDECAR"`
	StuckAfter    time.Duration `env:"DOCUSORT_STUCK_AFTER"`
	ShutdownGrace time.Duration `env:"DOCUSORT_SHUTDOWN_GRACE"`
	KeepHistory   time.Duration `env:"DOCUSORT_KEEP_HISTORY"` // 0: for ever
	Hook          string        `env:"DOCUSORT_HOOK"`         // a program's path, or empty
	HTTPAddr      string        `env:"DOCUSORT_HTTP_ADDR"`    // host:port, the host never empty; unix:/path; or empty
	LogLevel      slog.Level    `env:"DOCUSORT_LOG_LEVEL"`
	LogFormat     string        `env:"DOCUSORT_LOG_FORMAT"` // auto, text or json

	// ConfigFile is the file that was read; empty where there was none.
	ConfigFile string
	// ConfigSkipped says why [DefaultConfigFile] was not read although it exists:
	// the user may not read it. That is no error where systemd has read it for
	// the service, or for somebody who looks at reports; a command that does not
	// find the database should mention it.
	ConfigSkipped error

	origin func(name string) string // where a variable is set; empty: nowhere
}

// Refuse returns what is wrong with the value of a variable, as [Load] does, for what only
// its user can find out.
func (s *Settings) Refuse(name, text string) Problems {
	return Problems{{Name: name, Origin: s.origin(name), Text: text}}
}

// Need is a set of bits: what a command cannot do without.
type Need int

// What a command may need. Without NeedKey no file with a key is read, and without
// NeedFolders nothing is looked at but the settings file: a disk that does not answer
// would keep a command that has no use for it.
const (
	NeedKey     Need = 1 << iota // the API key
	NeedTypes                    // at least one document type
	NeedFolders                  // folders that are outside each other, links followed
)
