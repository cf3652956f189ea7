package settings

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const all = NeedKey | NeedTypes

// given is the least that a daemon needs, and more.
func given(more ...string) []string {
	return append([]string{"DOCUTRAY_API_KEY=dt_live_secret", "DOCUSORT_DOCUMENT_TYPES=invoice"}, more...)
}

// loadHere is Load without what this machine has in /etc.
func loadHere(t *testing.T, environ []string, file string, need Need) (*Settings, error) {
	t.Helper()
	return Load(environ, Source{Config: file, folder: t.TempDir()}, need)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// says checks that an error says all of this.
func says(t *testing.T, err error, want ...string) {
	t.Helper()
	for _, part := range want {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

// write makes a file in a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "docusort.env")
	ok(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// revealed returns the key that the settings lead to.
func revealed(t *testing.T, s *Settings) string {
	t.Helper()
	key, err := s.Keys.Key()
	ok(t, err)
	return key.Reveal()
}

func TestLoadEverything(t *testing.T) {
	s, err := loadHere(t, given(
		"DOCUTRAY_BASE_URL= http://127.0.0.1:8080/base/ ", "DOCUSORT_DOCUMENT_TYPES= invoice , nota de crédito",
		`DOCUSORT_METADATA={"b": 12345678901234567890, "a":"<&>"}`,
		"DOCUSORT_HOME=/h/./x/", "DOCUSORT_INBOX=/in/", "DOCUSORT_SORTED=/so", "DOCUSORT_FOLDERS={year}/{type}", "DOCUSORT_DATABASE=/d/b.db",
		"DOCUSORT_WATCH=Poll", "DOCUSORT_RESCAN=10s", "DOCUSORT_SETTLE=1ms", "DOCUSORT_INCOMPLETE_AFTER=1h30m",
		"DOCUSORT_RECURSIVE=no", "DOCUSORT_IGNORE=*.bak, [ab]?", "DOCUSORT_WORKERS=010", "DOCUSORT_MAX_PENDING=1",
		"DOCUSORT_REQUESTS_PER_MINUTE=60", "DOCUSORT_POLL_MIN=1s", "DOCUSORT_POLL_MAX=1s", "DOCUSORT_JOB_TIMEOUT=1d12h",
		"DOCUSORT_MAX_ATTEMPTS=1", "DOCUSORT_MIN_CONFIDENCE=0.7", "DOCUSORT_REUSE_RESULTS=0", "DOCUSORT_SIDECAR=1",
		"DOCUSORT_SHUTDOWN_GRACE=0s", "DOCUSORT_STUCK_AFTER=2h", "DOCUSORT_KEEP_HISTORY=30d", "DOCUSORT_HOOK=/usr/bin/hook me",
		"DOCUSORT_HTTP_ADDR=[::1]:0", "DOCUSORT_LOG_LEVEL=WARN", "DOCUSORT_LOG_FORMAT=json"), "", all)
	ok(t, err)
	s.Keys, s.Source = nil, Source{}
	want := &Settings{
		BaseURL: "http://127.0.0.1:8080/base", DocumentTypes: []string{"invoice", "nota de crédito"},
		Metadata: []byte(`{"a":"<&>","b":12345678901234567890}`),
		Home:     "/h/x", Inbox: "/in", Sorted: "/so", Folders: "{year}/{type}", Database: "/d/b.db",
		Watch: "poll", Rescan: 10 * time.Second, Settle: time.Millisecond, IncompleteAfter: 90 * time.Minute,
		Ignore: []string{"*.bak", "[ab]?"}, Workers: 10, MaxPending: 1, RequestsPerMinute: 60,
		PollMin: time.Second, PollMax: time.Second, JobTimeout: 36 * time.Hour, MaxAttempts: 1, MinConfidence: 0.7,
		Sidecar: true, StuckAfter: 2 * time.Hour, KeepHistory: 720 * time.Hour, Hook: "/usr/bin/hook me",
		HTTPAddr: "[::1]:0", LogLevel: slog.LevelWarn, LogFormat: "json",
	}
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(Source{}), cmpopts.IgnoreUnexported(Settings{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEnvironmentGoesBeforeFile(t *testing.T) {
	file := write(t, "DOCUSORT_WORKERS=8\nDOCUSORT_WORKERS=9\nDOCUSORT_MAX_PENDING=7\nDOCUSORT_MAX_ATTEMPTS=2\nDOCUSORT_INBOX=/a\n")
	s, err := loadHere(t, given("DOCUSORT_MAX_PENDING=6", "DOCUSORT_MAX_ATTEMPTS=", "DOCUSORT_IGNORE=/"), file, all)
	ok(t, err)
	if s.Workers != 9 || s.MaxPending != 6 || s.MaxAttempts != 5 || len(s.Ignore) != 0 || s.Inbox != "/a" || s.ConfigFile != file {
		t.Errorf("%+v", s)
	}
}

func TestHome(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	ok(t, err)
	for _, c := range []struct {
		env  []string
		file string
		want string
	}{
		{nil, "", "/var/lib/docusort"},
		{[]string{"STATE_DIRECTORY=/s/a:/s/b"}, "", "/s/a"},
		{[]string{"STATE_DIRECTORY="}, "", "/var/lib/docusort"},
		{[]string{"STATE_DIRECTORY=/s"}, "DOCUSORT_HOME=/f", "/f"},
		{[]string{"STATE_DIRECTORY=/s", "DOCUSORT_HOME=/e$x"}, "DOCUSORT_HOME=/f", "/e$x"},
		{nil, "STATE_DIRECTORY=/s", "/var/lib/docusort"},
		{[]string{"DOCUSORT_HOME=x/../y"}, "", here + "/y"}, // relative
	} {
		s, err := loadHere(t, c.env, write(t, c.file), 0)
		ok(t, err)
		if s.Home != c.want || s.Inbox != c.want+"/inbox" || s.Sorted != c.want+"/sorted" || s.Database != c.want+"/docusort.db" {
			t.Errorf("%v %q: %+v", c.env, c.file, s)
		}
	}
}

func TestConfigFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no.env")
	for file, want := range map[string]string{
		missing: "there is no file " + missing, t.TempDir(): "", write(t, strings.Repeat("#", maxFile+1)): "larger",
	} {
		_, err := loadHere(t, nil, file, 0)
		says(t, err, want)
	}
	s, err := Load(nil, Source{folder: filepath.Dir(write(t, "DOCUSORT_WORKERS=2"))}, 0)
	if err != nil || s.Workers != 2 {
		t.Errorf("the default file is not read: %+v %v", s, err)
	}
}

// The settings file may be closed to us: then what systemd has handed over, or
// the defaults, must do, and the file is named where they do not.
func TestUnreadableDefaultFile(t *testing.T) {
	file := write(t, "DOCUSORT_WORKERS=2")
	ok(t, os.Chmod(file, 0))
	closed := Source{folder: filepath.Dir(file)}
	ok(t, os.Chmod(closed.folder, 0o755))
	asNobody(t)
	if s, err := Load(nil, closed, 0); err != nil || s.ConfigSkipped == nil || s.ConfigFile != "" {
		t.Errorf("a report: %+v %v", s, err)
	}
	if s, err := Load(given(), closed, all); err != nil || s.ConfigSkipped == nil {
		t.Errorf("a daemon that has all it needs: %+v %v", s, err)
	}
	_, err := Load(nil, closed, all) // a daemon without settings
	says(t, err, "DOCUTRAY_API_KEY: is ", "no permission to read "+file, "run this as root")
	_, err = Load(given(), Source{Config: file}, all) // a named file is not skipped
	says(t, err, "no permission")
}

// asNobody takes from root, until the test ends, the right to read everything.
func asNobody(t *testing.T) {
	if os.Getuid() != 0 {
		return
	}
	runtime.LockOSThread() // not unlocked, so that the thread ends with the test
	if err := syscall.Setfsuid(65534); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Setfsuid(0) })
}

func TestKubernetesNames(t *testing.T) {
	env := []string{"DOCUSORT_SERVICE_HOST=10.0.0.1", "DOCUSORT_SERVICE_PORT_HTTP=1", "DOCUSORT_PORT=tcp://10.0.0.1:1", "DOCUSORT_PORT_1_TCP=x"}
	if _, err := loadHere(t, env, "", 0); err != nil {
		t.Errorf("what Kubernetes sets: %v", err)
	}
	if _, err := loadHere(t, env[2:3], "", 0); err == nil {
		t.Error("DOCUSORT_PORT without Kubernetes is no setting")
	}
	if _, err := loadHere(t, append(env, "DOCUSORT_PROT=1"), "", 0); err == nil {
		t.Error("a slip is hidden by Kubernetes")
	}
}
