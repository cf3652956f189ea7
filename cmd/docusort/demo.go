package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docusort/cmd/docusort/internal/progress"
	"docusort/cmd/docusort/internal/report"
	"docusort/cmd/docusort/internal/report/display"
	"docusort/cmd/docusort/internal/settings"
	"docusort/pipeline/docutray/docutraytest"
	"docusort/store"
	"docusort/testdata"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func (p program) demoCommand() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "show the main job with nothing configured",
		Long: "demo starts a stand-in for the DocuTray API on this machine and the real daemon in a\n" +
			"temporary folder, drops sample documents into its inbox, and shows where they were\n" +
			"filed and the report. Nothing leaves the machine and nothing costs anything.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), keep) },
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the daemon running to play with, until Ctrl-C")
	return cmd
}

// demoTimeout bounds the demo: it takes seconds.
const demoTimeout = time.Minute

func (p program) demo(ctx context.Context, keep bool) (err error) {
	home, err := os.MkdirTemp("", "docusort-demo-")
	if err != nil {
		return err
	}
	api := httptest.NewServer(docutraytest.New(docutraytest.Options{Latency: 1500 * time.Millisecond, Sigma: 0.35, Seed: 1}))
	defer api.Close()
	from, err := writeDemoSettings(home, api.URL, keep)
	if err != nil {
		return err
	}
	s, err := settings.Load(withoutSettings(p.environ), from, settings.NeedKey|settings.NeedTypes|settings.NeedFolders)
	if err != nil {
		return err
	}
	line := progress.New(p.stderr, isTerminal(p.stderr), func() int { return width(p.stderr) })
	defer line.Finish()
	d, err := p.newDaemon(ctx, s, p.logger(line.Writer(), s), false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.openStatusPage(); err != nil {
		return err
	}

	fmt.Fprintf(p.stderr, "A stand-in for the DocuTray API answers on %s; the daemon works in %s.\n", api.URL, home)
	running, stop := context.WithCancel(ctx)
	defer stop()
	g, running := errgroup.WithContext(running)
	g.Go(func() error { return d.run(running, nil) })
	err = p.showDemo(running, d, line)
	if err == nil {
		p.showWhereToLook(d)
	}
	if err == nil && keep {
		<-running.Done()
	}
	stop()
	return errors.Join(err, g.Wait())
}

// writeDemoSettings writes down what the demo works with, also for commands that look at it.
func writeDemoSettings(home, url string, page bool) (settings.Source, error) {
	from := settings.Source{Config: filepath.Join(home, "docusort.env")}
	lines := []string{"DOCUSORT_HOME=" + home, "DOCUSORT_DOCUMENT_TYPES=" + strings.Join(testdata.Options(), ","),
		"DOCUTRAY_API_KEY=" + docutraytest.DefaultKey, "DOCUTRAY_BASE_URL=" + url, "DOCUSORT_SETTLE=300ms", "DOCUSORT_LOG_LEVEL=warn"}
	if page {
		lines = append(lines, "DOCUSORT_HTTP_ADDR=127.0.0.1:0")
	}
	return from, os.WriteFile(from.Config, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// withoutSettings leaves out the user's own settings, so that the demo does not spend
// their credits or touch their documents.
func withoutSettings(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		return strings.HasPrefix(v, "DOCUSORT_") || strings.HasPrefix(v, "DOCUTRAY_")
	})
}

// showWhereToLook ends the demo with commands to copy.
func (p program) showWhereToLook(d *daemon) {
	command := func(words string) string {
		return invoked() + strings.TrimPrefix(d.settings.Command(words), "docusort")
	}
	w := p.stdout
	fmt.Fprintln(w, "\nEach document, where it is and how it went; the same as a page with plots; and the folders:")
	fmt.Fprintf(w, "  %s\n  %s\n  ls -R %s\n", command("report --documents"), command("report --documents --format html")+" >report.html", d.settings.Home)
	if d.page == nil {
		fmt.Fprintf(w, "\nTo drop documents of your own and see the status page, leave the daemon running:\n  %s demo --keep\n", invoked())
		return
	}
	fmt.Fprintf(w, "\nThe daemon keeps running until Ctrl-C. Drop documents into %s and see the status page:\n  http://%s/\n",
		d.settings.Inbox, d.page.Addr())
}

// invoked is how this program was started.
func invoked() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "/go-build") {
		return "go run ./cmd/docusort"
	}
	return os.Args[0]
}

// showDemo drops the samples, waits until they are filed, and shows the result.
func (p program) showDemo(ctx context.Context, d *daemon, line *progress.Line) error {
	w, begun := p.stdout, time.Now()
	select {
	case <-d.watcher.Ready():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := os.CopyFS(d.settings.Inbox, testdata.Inbox()); err != nil {
		return fmt.Errorf("drop the samples: %w", err)
	}
	if err := d.awaitFinished(ctx, line, begun, len(testdata.Types())); err != nil {
		return err
	}
	line.Finish()
	fmt.Fprintf(w, "%d sample documents were filed in %s:\n\n", len(testdata.Types()), display.Duration(time.Since(begun)))
	if err := printTree(w, d.settings.Sorted); err != nil {
		return err
	}
	r, err := store.OpenReader(ctx, d.settings.Database)
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Fprintln(w)
	if err := report.Write(ctx, w, r, "table", report.Options{Width: width(w), Color: p.color(w)}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nEverything is in %s; the types were given by a stand-in for the API.\n", d.settings.Home)
	return err
}

func (d *daemon) awaitFinished(ctx context.Context, line *progress.Line, begun time.Time, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, demoTimeout, fmt.Errorf("the samples were not filed within %s", demoTimeout))
	defer cancel()
	finished := 0
	d.showProgress(ctx, begun, func(done, _ int, detail string) {
		finished = done
		line.Update(done, n, detail)
		if done >= n {
			cancel()
		}
	})
	if finished < n {
		return context.Cause(ctx)
	}
	return nil
}

func printTree(w io.Writer, root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.Dir(root), path)
		if err != nil {
			return err
		}
		name := display.Printable(e.Name())
		if e.IsDir() {
			name += "/"
		}
		_, err = fmt.Fprintf(w, "%s%s\n", strings.Repeat("  ", strings.Count(rel, "/")), name)
		return err
	})
}
