package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"docusort/pipeline/docutray"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/pipeline/filing"
	"docusort/store"
)

// BenchmarkWay takes documents of 20 kB their whole way on a disk; ns/op is that
// of one. The service is a stand-in in the same process, behind a connection;
// profiles are of both, so leave it out of them:
//
//	go test -run '^$' -bench Way -benchtime 3000x -cpuprofile cpu.prof ./pipeline
//	go tool pprof -top -cum -ignore 'docutraytest|net/http.*serve' pipeline.test cpu.prof
func BenchmarkWay(b *testing.B) {
	server := httptest.NewServer(docutraytest.New(docutraytest.Options{}))
	defer server.Close()
	home := b.TempDir()
	cfg := Config{
		Inbox: filepath.Join(home, "inbox"), Sorted: filepath.Join(home, "sorted"),
		Mover: filing.NewMover(filing.Options{}), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Keys:          docutray.StaticKey(docutraytest.DefaultKey),
		DocumentTypes: []string{"invoice", "receipt", "contract", "letter", "purchase_order"},
		Workers:       16, MaxPending: 1000, PollMin: time.Millisecond, PollMax: 30 * time.Second,
		JobTimeout: time.Hour, MaxAttempts: 5, ReuseResults: 720 * time.Hour,
		Settle: 5 * time.Second, Rescan: time.Minute, ShutdownGrace: 25 * time.Second,
	}
	must(b, os.MkdirAll(cfg.Inbox, 0o755))
	must(b, os.MkdirAll(cfg.Sorted, 0o755))
	client, err := docutray.New(docutray.Config{BaseURL: server.URL, Key: cfg.Keys})
	must(b, err)
	defer client.Close()
	cfg.Service = client
	cfg.Store, err = store.Open(context.Background(), store.Config{Path: filepath.Join(home, "docusort.db")})
	must(b, err)
	defer cfg.Store.Close()

	filler := strings.Repeat("x", 20_000)
	files := make(chan string, b.N)
	for i := range b.N {
		name := fmt.Sprintf("scan-%d.pdf", i)
		content := fmt.Sprintf("%%PDF-1.4\nstream\n(Invoice %d) Tj\nendstream\n%s\n%%%%EOF\n", i, filler)
		must(b, os.WriteFile(filepath.Join(cfg.Inbox, name), []byte(content), 0o644))
		files <- name
	}
	close(files)
	cfg.Files = files
	b.ReportAllocs()
	b.ResetTimer()
	if err := New(cfg).Run(context.Background()); err != nil && !errors.Is(err, ErrLeft) {
		b.Fatal(err)
	}
	b.StopTimer()
	left, err := os.ReadDir(cfg.Inbox)
	if err != nil || len(left) > 0 {
		b.Fatalf("%d documents are left: %v", len(left), err)
	}
}
