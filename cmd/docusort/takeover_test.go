package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray/docutraytest"
)

var litestream = flag.String("litestream", "", "the `program` that replicates the database in TestTakeOver")

// office is two machines that share their folders. Each has a database of its own, which
// Litestream replicates while it works.
type office struct {
	*world
	turn int             // of the machines
	jobs map[string]bool // that a restored database knew
	lost map[string]bool // jobs that it did not know, of documents that were in the inbox
}

func (o *office) machine(turn int) (home, replica string) {
	name := []string{"a", "b"}[turn%2]
	return filepath.Join(o.dir, "home-"+name), filepath.Join(o.dir, "replica-"+name)
}

// litestreamConfig is the example with the places of this machine.
func (o *office) litestreamConfig() string {
	o.t.Helper()
	example, err := os.ReadFile("../../systemd/litestream.yml")
	noErr(o.t, err)
	home, replica := o.machine(o.turn)
	text := strings.NewReplacer("/var/lib/docusort/docusort.db", filepath.Join(home, "docusort.db"),
		"/srv/docusort-replica/office-a", replica).Replace(string(example))
	path := home + ".yml"
	noErr(o.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// takeOver restores the database of the other machine, and has this one go on.
func (o *office) takeOver() {
	t := o.t
	t.Helper()
	from := o.litestreamConfig()
	before, _ := o.machine(o.turn)
	o.turn++
	home, replica := o.machine(o.turn)
	noErr(t, os.RemoveAll(home)) // what it had before it was a standby
	noErr(t, os.RemoveAll(replica))
	noErr(t, os.Mkdir(home, 0o755))
	o.home, o.settings["DOCUSORT_HOME"] = home, home
	out, err := exec.Command(*litestream, "restore", "-config", from, "-o", o.database(""), filepath.Join(before, "docusort.db")).CombinedOutput()
	if err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	o.run("relocate", "--yes").check(t, exitDone)
	known := map[string]bool{}
	for _, row := range o.rows() {
		known[row.jobID] = true
		if row.jobID != "" {
			o.jobs[row.jobID] = true
		}
	}
	waiting := map[string]bool{}
	for _, f := range o.readFiles() {
		waiting[hashOf(f.content)] = strings.HasPrefix(f.path, o.inbox+"/")
	}
	newest := map[string]string{} // jobs by hash
	for _, u := range o.api.Uploads() {
		newest[u.SHA256] = u.JobID
	}
	for hash, job := range newest {
		if waiting[hash] && !known[job] {
			o.lost[job] = true
		}
	}
}

// The example has other replicas in comments, which Litestream understands as well.
func TestLitestreamReplicas(t *testing.T) {
	if *litestream == "" {
		t.Skip("no -litestream")
	}
	example, err := os.ReadFile("../../systemd/litestream.yml")
	noErr(t, err)
	head, replicas, _ := strings.Cut(string(example), "    replica:\n")
	for _, kind := range []string{"file", "sftp", "s3"} {
		_, mine, found := strings.Cut(strings.ReplaceAll(replicas, "      # ", "      "), "      type: "+kind+"\n")
		if !found {
			t.Fatalf("no example of a replica by %s", kind)
		}
		mine, _, _ = strings.Cut(mine, "\n\n")
		path := filepath.Join(t.TempDir(), "litestream.yml")
		noErr(t, os.WriteFile(path, []byte(head+"    replica:\n      type: "+kind+"\n"+mine), 0o600))
		out, err := exec.Command(*litestream, "databases", "-config", path).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "/var/lib/docusort/docusort.db  "+kind) {
			t.Errorf("%s: %v\n%s", kind, err, out)
		}
	}
}

// TestTakeOver: a machine is killed at a drawn moment and the other one goes on with what
// Litestream replicated, again and again. Nothing is lost, and only what was submitted
// after the last replicated second is paid for twice.
func TestTakeOver(t *testing.T) {
	if *litestream == "" {
		t.Skip("no -litestream")
	}
	const documents = 200
	times := 3
	if *long {
		times = 10
	}
	w := newWorldWith(t, docutraytest.Options{Latency: 200 * time.Millisecond})
	o := &office{world: w, jobs: map[string]bool{}, lost: map[string]bool{}}
	draw := random(t)
	w.home, _ = o.machine(0)
	w.inbox, w.sorted = filepath.Join(w.dir, "shared/inbox"), filepath.Join(w.dir, "shared/sorted")
	for _, dir := range []string{w.home, w.inbox, w.sorted} {
		noErr(t, os.MkdirAll(dir, 0o755))
	}
	w.settings["DOCUSORT_HOME"], w.settings["DOCUSORT_INBOX"], w.settings["DOCUSORT_SORTED"] = w.home, w.inbox, w.sorted
	w.settings["DOCUSORT_MAX_PENDING"] = fmt.Sprint(20 / times) // so that all of them meet work
	w.dropMany(documents, "%d.pdf")
	for range times {
		replicator := exec.Command(*litestream, "replicate", "-config", o.litestreamConfig())
		replicator.Stderr, replicator.Stdout = t.Output(), t.Output()
		noErr(t, replicator.Start())
		c := w.start("run")
		_, replica := o.machine(o.turn)
		poll(t, "the first snapshot", func() bool {
			files, _ := filepath.Glob(replica + "/ltx/9/*.ltx")
			return len(files) > 0
		})
		time.Sleep(time.Duration(draw.IntN(2500)) * time.Millisecond)
		_ = c.cmd.Process.Kill()
		c.waitExit(killed)
		noErr(t, replicator.Process.Kill())
		_ = replicator.Wait()
		w.server.CloseClientConnections()
		w.checkNames()
		o.takeOver()
	}
	c := w.start("run")
	w.waitAllDone()
	w.stop(c)
	r, _ := w.report()
	if len(filesIn(t, w.sorted)) != documents || r.Totals["filed"] > documents || r.Totals["gone"]+r.Totals["failed"] > 0 {
		t.Errorf("%d files in sorted; the report: %v", len(filesIn(t, w.sorted)), r.Totals)
	}
	w.checkNames()
	jobs := w.api.Stats().Jobs
	t.Logf("%d take-overs: %d documents, %d in the record, %d jobs", times, documents, r.Totals["filed"], jobs)
	if jobs != documents+len(o.lost) {
		t.Errorf("%d jobs for %d documents; %d were submitted after the last replicated second", jobs, documents, len(o.lost))
	}
	last := map[string]string{}
	for _, u := range w.api.Uploads() {
		if before := last[u.SHA256]; o.jobs[before] {
			t.Errorf("job %s was replicated, and %s made after it", before, u.JobID)
		}
		last[u.SHA256] = u.JobID
	}
}
