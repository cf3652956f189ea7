package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

// secretKey is found nowhere but in requests; see [world.keptSecret].
const secretKey = "dt_live_Q7vP2mXs9LbR4cTz"

// world is a machine with an inbox, a service that outlives every docusort, and
// what a bystander knows of both.
type world struct {
	t                        *testing.T
	dir, home, inbox, sorted string
	settings                 map[string]string
	api                      *docutraytest.Server
	server                   *httptest.Server
	undecided                atomic.Bool // every job is still being worked on
	cursed                   sync.Map    // hashes whose jobs end in ERROR
	children                 []*child
	dropped                  map[string][]stamp // by hash
	hopeless                 map[string]bool    // hashes that must fail
	stored                   map[string]bool    // ids of jobs that were stored when a daemon was killed
	cutOff                   map[upload]bool    // uploads that were under way when a daemon was killed
	troubled                 bool               // the service had faults: requests may be made again
	minConfidence            float64
	wired                    bool // connections break on the way: requests are made that never arrive
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

func newWorld(t *testing.T, o docutraytest.Options) *world {
	t.Helper()
	return newWorldIn(t, fastDir(t), o)
}

// newWorldIn has everything in a folder that is there.
func newWorldIn(t *testing.T, dir string, o docutraytest.Options) *world {
	t.Helper()
	o.Key = secretKey
	w := &world{
		t: t, dir: dir, api: docutraytest.New(o), dropped: map[string][]stamp{}, hopeless: map[string]bool{},
		stored: map[string]bool{}, cutOff: map[upload]bool{},
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

// intercept makes jobs take long, or fail by their content.
func (w *world) intercept(rw http.ResponseWriter, r *http.Request) bool {
	id, isPoll := strings.CutPrefix(r.URL.Path, "/api/identify-async/status/")
	if !isPoll || r.Header.Get("Authorization") != "Bearer "+secretKey {
		return false
	}
	status := ""
	if u, ok := w.api.Upload(id); ok {
		if _, bad := w.cursed.Load(u.SHA256); bad {
			status = "ERROR"
		}
	}
	if w.undecided.Load() {
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
	noErr(w.t, os.WriteFile(file, []byte(b.String()), 0o644))
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

// reportDocument is a document in the report, as a program outside reads it.
type reportDocument struct {
	ID                        int64
	Source, State             string
	Path, Type, SHA256, Error *string
	JobID                     *string `json:"job_id"`
	Confidence                *float64
	Size                      int64
	Attempts, Polls           int
}

func (d *reportDocument) hash() string {
	if d.SHA256 == nil {
		return ""
	}
	return *d.SHA256
}

// reportJSON is the report as a program outside reads it.
type reportJSON struct {
	Version int
	Daemon  struct {
		Running bool
		PID     *int
		Hold    *struct {
			Kind, Reason string
			Until        *string
		}
	}
	Totals map[string]int
	Types  []struct {
		Type          string
		Filed, Review int
	}
	Requests struct{ Submissions, Polls, Reused, Resubmissions int }
	Failures []struct {
		Reason string
		Count  int
	}
	Documents []reportDocument
}

func (r *reportJSON) unfinished() int {
	return r.Totals["waiting"] + r.Totals["submitting"] + r.Totals["pending"] + r.Totals["identified"]
}

func (r *reportJSON) holds(kind string) bool {
	return r.Daemon.Hold != nil && r.Daemon.Hold.Kind == kind
}

// report reads the report; ok is false while there is no database yet.
func (w *world) report() (r reportJSON, ok bool) {
	w.t.Helper()
	got := w.run("report", "--format", "json", "--documents")
	if got.code == exitFailed && strings.Contains(got.stderr, "no database yet") {
		return r, false
	}
	if got.code != exitDone {
		w.t.Fatalf("report ended with %d: %s", got.code, got.stderr)
	}
	noErr(w.t, json.Unmarshal([]byte(got.stdout), &r))
	return r, true
}

// until waits for what anybody can see.
func (w *world) until(what string, is func(r *reportJSON) bool) reportJSON {
	w.t.Helper()
	end := time.Now().Add(deadline)
	for {
		r, ok := w.report()
		if ok && is(&r) {
			return r
		}
		if time.Now().After(end) {
			w.t.Fatalf("not within %s: %s; the report says %+v", deadline, what, r)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// runs waits until a daemon is at work.
func (w *world) runs(c *child) {
	w.t.Helper()
	w.until("the daemon runs", func(r *reportJSON) bool {
		select {
		case <-c.ended:
			w.t.Fatalf("%s ended with %d", c.name, c.wait())
		default:
		}
		return r.Daemon.Running && r.Daemon.PID != nil && *r.Daemon.PID == c.cmd.Process.Pid
	})
}

// allDone waits until nothing is left to do.
func (w *world) allDone() reportJSON {
	w.t.Helper()
	return w.until("everything is finished", func(r *reportJSON) bool {
		return r.unfinished() == 0 && len(filesIn(w.t, w.inbox)) == 0
	})
}

// finish lets a daemon do all that there is to do, stops it and looks.
func (w *world) finish() reportJSON {
	w.t.Helper()
	c := w.start(death{}, "run")
	w.runs(c)
	w.allDone()
	w.stop(c)
	return w.check()
}

// filesIn returns the path of everything beneath a folder that is no folder.
func filesIn(t testing.TB, root string) (all []string) {
	t.Helper()
	noErr(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // moved away while we look
		}
		if err == nil && !e.IsDir() {
			all = append(all, path)
		}
		return err
	}))
	return all
}
