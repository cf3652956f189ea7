package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver

	"docusort/pipeline/docutray/docutraytest"
)

// copied says what differs between a document in the database and copy i of ?1.
// Other columns are copied as they are, so this and copyDocuments are all that knows
// the schema. Copies are a second apart, the newest last, and more than a day old.
var copied = map[string]string{
	"id":            `NULL`,
	"source":        `printf('2025/scan-%08d.pdf', i)`,
	"target":        `replace(target, '.pdf', printf('-%08d.pdf', i))`,
	"sha256":        `randomblob(32)`,
	"job_id":        `lower(hex(randomblob(12)))`,
	"discovered_at": `discovered_at - 86400000 - (?1 - i) * 1000`,
	"submitted_at":  `submitted_at - 86400000 - (?1 - i) * 1000`,
	"identified_at": `identified_at - 86400000 - (?1 - i) * 1000`,
	"finished_at":   `finished_at - 86400000 - (?1 - i) * 1000 + abs(random() % 20000)`,
}

// copyDocuments makes n copies of the documents in a database.
func (b *bench) copyDocuments(path string, n int) {
	db := got(sql.Open("sqlite3", "file:"+path+"?_synchronous=OFF"))
	var columns string // all but the computed ones
	must(db.QueryRowContext(b.ctx, `SELECT group_concat(name) FROM pragma_table_info('documents')`).Scan(&columns))
	values := strings.Split(columns, ",")
	for i, column := range values {
		if expression, ok := copied[column]; ok {
			values[i] = expression
		}
	}
	got(db.ExecContext(b.ctx, `WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?1),
		originals AS MATERIALIZED (SELECT *, row_number() OVER () - 1 AS turn FROM documents)
		INSERT INTO documents (`+columns+`) SELECT `+strings.Join(values, ", ")+`
		FROM numbers JOIN originals ON turn = i % (SELECT count(*) FROM originals)`, n))
	got(db.ExecContext(b.ctx, `PRAGMA wal_checkpoint(TRUNCATE)`))
	must(db.Close())
}

// siteOf returns a site whose database has n documents: docusort files fifty, the
// others are copies.
func (b *bench) siteOf(n int) *site {
	const originals = 50
	s := b.newSite(originals, 2_000)
	d := b.start(s, docutraytest.Options{}, brisk...)
	d.awaitFiled(originals)
	d.stop()
	b.copyDocuments(s.database, n-originals)
	return s
}

// largeSite returns the site with the large database, which is made once, and how
// many documents it has.
func (b *bench) largeSite() (*site, int) {
	n := pick(b, 1_000_000, 100_000)
	if b.filled == nil {
		b.filled = b.siteOf(n)
	}
	return b.filled, n
}

// report shows that whoever asks is answered at once, however long docusort has run.
func (b *bench) report() {
	large, many := b.largeSite()
	const few = 1000
	small := b.siteOf(few)
	for range b.pairs {
		b.timeReport(small, few)
		b.timeReport(large, many)
	}
	b.add("size of the database", "bytes/document", float64(got(os.Stat(large.database)).Size())/float64(many))
	small.remove()
}

func (b *bench) timeReport(s *site, n int) {
	cmd := exec.CommandContext(b.ctx, b.docusort, "report", "--config", os.DevNull, "--format", "json")
	cmd.Env = []string{"DOCUSORT_HOME=" + s.home}
	began := time.Now()
	out, err := cmd.Output()
	took := time.Since(began)
	must(err)
	var report struct{ Totals map[string]int }
	must(json.Unmarshal(out, &report))
	if report.Totals["filed"] != n {
		must(fmt.Errorf("the report counts %v, want %d filed", report.Totals, n))
	}
	b.add(fmt.Sprintf("docusort report, %d documents", n), "ms", took.Seconds()*1000)
}

// startup shows that a restart is not noticed, however large the database is.
func (b *bench) startup() {
	large, many := b.largeSite()
	empty := b.newSite(0, 0)
	for range b.pairs {
		b.timeStart(empty, 0)
		b.timeStart(large, many)
	}
	empty.remove()
}

// timeStart starts a daemon as systemd does and waits for READY=1.
func (b *bench) timeStart(s *site, n int) {
	path := filepath.Join(s.home, "notify")
	conn := got(net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"}))
	d := b.start(s, docutraytest.Options{}, "NOTIFY_SOCKET="+path)
	must(conn.SetReadDeadline(d.began.Add(30 * time.Second)))
	message := make([]byte, 4096)
	for ready := false; !ready; {
		length := got(conn.Read(message))
		ready = strings.Contains("\n"+string(message[:length]), "\nREADY=1")
	}
	b.add(fmt.Sprintf("ready, %d documents", n), "ms", time.Since(d.began).Seconds()*1000)
	d.stop()
	must(conn.Close())
	must(os.Remove(path)) // closing leaves it
}
