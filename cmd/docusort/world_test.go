package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"docusort/pipeline/docutray/docutraytest"
)

// secretKey is found nowhere but in requests; see [world.checkSecret].
const secretKey = "dt_live_Q7vP2mXs9LbR4cTz"

// world is a machine with an inbox, a service that outlives every docusort, and what
// an observer knows of both.
type world struct {
	t                        *testing.T
	dir, home, inbox, sorted string
	settings                 map[string]string
	api                      *docutraytest.Server
	server                   *httptest.Server
	children                 []*child
	answers
	expected
}

// answers are those to polls, beside the faults of the stand-in itself.
type answers struct {
	jobsStay    atomic.Bool // no job ends
	failingJobs sync.Map    // hashes whose jobs end in ERROR
}

// expected is what [world.check] compares with.
type expected struct {
	dropped       map[string][]stamp // documents by hash; empty: was there, and was taken away
	mustFail      map[string]bool    // hashes
	storedJobs    map[string]bool    // ids that were stored when a daemon was killed
	interrupted   map[upload]bool    // uploads under way when a daemon was killed
	decided       map[string]string  // types that persons gave, by hash
	minConfidence float64
	// attributesRefused: the system refused to set a mode or a time.
	attributesRefused bool
	// requestsMayRepeat: the service had faults, or was asked by doctor or retry.
	requestsMayRepeat bool
}

// fastDir is a folder in memory where there is one: what is tested here is what
// processes leave behind, not what disks do.
func fastDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "docusort-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// newWorld makes a world of its own, in parallel to other tests.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, docutraytest.Options{})
}

func newWorldWith(t *testing.T, o docutraytest.Options) *world {
	t.Helper()
	t.Parallel()
	return newWorldIn(t, fastDir(t), o)
}

// newWorldIn has everything in a folder that is there.
func newWorldIn(t *testing.T, dir string, o docutraytest.Options) *world {
	t.Helper()
	o.Key = secretKey
	w := &world{
		t: t, dir: dir, api: docutraytest.New(o),
		expected: expected{dropped: map[string][]stamp{}, mustFail: map[string]bool{}, storedJobs: map[string]bool{}, interrupted: map[upload]bool{}, decided: map[string]string{}},
	}
	w.home = filepath.Join(w.dir, "home")
	w.inbox, w.sorted = filepath.Join(w.home, "inbox"), filepath.Join(w.home, "sorted")
	noErr(t, os.MkdirAll(w.inbox, 0o755))
	for _, name := range []string{"elsewhere", "tmp", "user"} {
		noErr(t, os.Mkdir(filepath.Join(w.dir, name), 0o755))
	}
	w.api.SetIntercept(w.intercept)
	w.server = httptest.NewServer(w.api)
	t.Cleanup(func() {
		w.server.CloseClientConnections()
		w.server.Close()
	})
	w.settings = map[string]string{
		"DOCUTRAY_API_KEY": secretKey, "DOCUTRAY_BASE_URL": w.server.URL,
		"DOCUSORT_DOCUMENT_TYPES": "invoice,receipt,contract", "DOCUSORT_HOME": w.home,
		"DOCUSORT_SETTLE": "50ms", "DOCUSORT_INCOMPLETE_AFTER": "500ms", "DOCUSORT_RESCAN": "1s",
		"DOCUSORT_POLL_MIN": "20ms", "DOCUSORT_POLL_MAX": "200ms", "DOCUSORT_LOG_LEVEL": "debug",
	}
	return w
}

// statusPath, with the id of a job after it, is where the job is polled.
const statusPath = "/api/identify-async/status/"

// intercept makes jobs take long, or fail by their content.
func (w *world) intercept(rw http.ResponseWriter, r *http.Request) bool {
	id, isPoll := strings.CutPrefix(r.URL.Path, statusPath)
	if !isPoll || r.Header.Get("Authorization") != "Bearer "+secretKey {
		return false
	}
	status := ""
	if u, ok := w.api.Upload(id); ok {
		if _, bad := w.failingJobs.Load(u.SHA256); bad {
			status = "ERROR"
		}
	}
	if w.jobsStay.Load() {
		status = "PROCESSING"
	}
	if status == "" {
		return false
	}
	rw.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(rw, `{"id":%q,"status":%q,"error":"illegible"}`, id, status)
	return true
}

// review sends what is identified with less than this to review.
func (w *world) review(confidence float64) {
	w.minConfidence = confidence
	w.settings["DOCUSORT_MIN_CONFIDENCE"] = fmt.Sprint(confidence)
}

// config writes the settings to a file outside of docusort's home.
func (w *world) config() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.settings)) {
		fmt.Fprintf(&b, "%s='%s'\n", name, w.settings[name])
	}
	file := filepath.Join(w.dir, "docusort.env")
	if there, err := os.ReadFile(file); err == nil && string(there) == b.String() {
		return file // a daemon may be reading it
	}
	noErr(w.t, os.WriteFile(file, []byte(b.String()), 0o600))
	return file
}

// environ is nothing of the user's own.
func (w *world) environ() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(w.dir, "user"), "TMPDIR=" + filepath.Join(w.dir, "tmp")}
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// check compares the exit code, and looks for texts in what was written.
func (r result) check(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("it ended with %d, not with %d, and wrote %q and %q", r.code, code, r.stdout, r.stderr)
	}
	checkContains(t, r.stdout+r.stderr, texts...)
}

func checkContains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// run runs a command to its end, in this process.
func (w *world) run(args ...string) result {
	w.t.Helper()
	return runWith(w.environ(), append([]string{"--config", w.config()}, args...)...)
}

func runWith(environ []string, args ...string) result {
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	code := run(ctx, program{args: args, environ: environ, stdout: &stdout, stderr: &stderr})
	got := result{code, stdout.String(), stderr.String()}
	stdout, stderr = bytes.Buffer{}, bytes.Buffer{} // cobra keeps completions, and what they know, for ever
	return got
}

// filesIn returns the paths of all that is beneath a folder, without folders.
func filesIn(t testing.TB, root string) (all []string) {
	t.Helper()
	noErr(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // moved away while we look
		}
		if err == nil && !e.IsDir() && !strings.HasPrefix(e.Name(), ".docusort-lock") {
			all = append(all, path)
		}
		return err
	}))
	return all
}
