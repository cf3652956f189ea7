package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"docusort/cmd/docusort/internal/hook"
	"docusort/cmd/docusort/internal/service"
	"docusort/cmd/docusort/internal/settings"
	"docusort/cmd/docusort/internal/status"
	"docusort/pipeline"
	"docusort/pipeline/docutray"
	"docusort/pipeline/filing"
	"docusort/store"
	"docusort/watcher"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/sync/errgroup"
)

type daemon struct {
	settings     *settings.Settings
	log          *slog.Logger
	waitsForDisk bool // at the start, for the disk of the database
	hangAfter    time.Duration
	hangs        atomic.Bool // a folder does not answer
	store        *store.Store
	client       *docutray.Client
	files        chan string // from the watcher to the pipeline
	watcher      *watcher.Watcher
	pipeline     *pipeline.Pipeline
	manager      *service.Manager
	inboxLock    io.Closer
	hook         *hook.Runner   // nil: none
	meter        *status.Meter  // of the requests to the service
	page         *status.Server // nil: none
}

// newDaemon opens the database and puts the parts together. Nothing runs yet; the
// caller closes it.
func (p program) newDaemon(ctx context.Context, s *settings.Settings, log *slog.Logger, waitsForDisk bool) (*daemon, error) {
	defer p.tellSlowStart()()
	if err := checkHook(s); err != nil {
		return nil, err
	}
	if err := checkUnit(s); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Home, settings.FolderMode); err != nil {
		return nil, fmt.Errorf("make DOCUSORT_HOME: %w; make it by hand for the user that docusort runs as, or set another one", err)
	}
	d := &daemon{settings: s, log: log, waitsForDisk: waitsForDisk, hangAfter: cmp.Or(p.hooks.hangAfter, hangAfter), files: make(chan string),
		manager: service.New(log), meter: status.NewMeter()}
	var err error
	if d.client, err = newClient(s, log, d.meter.Observe); err != nil {
		return nil, err
	}
	if err := d.open(ctx, p.hooks); err != nil {
		return nil, errors.Join(err, d.close())
	}
	p.lastResort.allow(s.ShutdownGrace + daemonStop)
	return d, nil
}

func (d *daemon) open(ctx context.Context, hooks testHooks) (err error) {
	s := d.settings
	d.store, err = store.Open(ctx, store.Config{Path: s.Database, Logger: d.log, Patient: d.waitsForDisk, Fault: hooks.store})
	if err != nil {
		return err
	}
	if s.Hook != "" {
		d.hook = &hook.Runner{Program: s.Hook, Command: strings.TrimSpace(s.Command("")), Store: d.store, Logger: d.log, Grace: s.ShutdownGrace}
	}
	if err := d.retryDisk(ctx, d.makeFolders); err != nil {
		return err
	}
	if d.inboxLock, err = lockInbox(s, d.log); err != nil {
		return err
	}
	d.pipeline = pipeline.New(d.pipelineConfig(hooks))
	d.watcher = watcher.New(d.watcherConfig(ctx))
	return nil
}

func (d *daemon) openStatusPage() (err error) {
	if d.settings.HTTPAddr == "" {
		return nil
	}
	d.page, err = status.Listen(status.Config{
		Addr: d.settings.HTTPAddr, Database: d.settings.Database, Version: version, Commit: commit(),
		Logger: d.log, Meter: d.meter, PollMax: d.settings.PollMax, Source: d.settings.Source,
	})
	return err
}

// close gives back what newDaemon and openStatusPage took.
func (d *daemon) close() error {
	if d.page != nil {
		_ = d.page.Close()
	}
	d.client.Close()
	if d.inboxLock != nil {
		_ = d.inboxLock.Close()
	}
	if d.store == nil {
		return nil
	}
	return d.store.Close()
}

// newClient makes the client of the API. observe is called for each request; it
// may be nil.
func newClient(s *settings.Settings, log *slog.Logger, observe func(string, int, time.Duration)) (*docutray.Client, error) {
	proxy := (&httpproxy.Config{HTTPSProxy: s.HTTPSProxy, NoProxy: s.NoProxy}).ProxyFunc()
	return docutray.New(docutray.Config{
		BaseURL: s.BaseURL, Key: s.Keys, RootCAs: s.RootCAs,
		Proxy:     func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		UserAgent: "docusort/" + version, Logger: log, Observe: observe,
	})
}

func (d *daemon) pipelineConfig(hooks testHooks) pipeline.Config {
	s := d.settings
	folders, _ := filing.ParseFolders(s.Folders) // checked with the settings
	return pipeline.Config{
		Store: d.store, Service: d.client, Keys: s.Keys, Files: d.files,
		Inbox: s.Inbox, Sorted: s.Sorted, Folders: folders, Ignore: s.Ignore, Mover: filing.NewMover(filing.Options{Logger: d.log, Fault: hooks.file}), Logger: d.log,
		DocumentTypes: s.DocumentTypes, Metadata: s.Metadata,
		Workers: s.Workers, MaxPending: s.MaxPending, RequestsPerMinute: s.RequestsPerMinute,
		PollMin: s.PollMin, PollMax: s.PollMax, JobTimeout: s.JobTimeout, MaxAttempts: s.MaxAttempts,
		MinConfidence: s.MinConfidence, ReuseResults: s.ReuseResults, Sidecar: s.Sidecar, KeepHistory: s.KeepHistory,
		Settle: s.Settle, Rescan: s.Rescan, StuckAfter: s.StuckAfter, ShutdownGrace: s.ShutdownGrace,
		OnStep: hooks.step, JobPause: hooks.jobPause, Doctor: s.Command("doctor"),
	}
}

var watchModes = map[string]watcher.Mode{"auto": watcher.Auto, "inotify": watcher.Inotify, "poll": watcher.Poll}

func (d *daemon) watcherConfig(ctx context.Context) watcher.Config {
	s := d.settings
	return watcher.Config{
		Root: s.Inbox, Files: d.files, Mode: watchModes[s.Watch],
		Rescan: s.Rescan, Settle: s.Settle, IncompleteAfter: s.IncompleteAfter,
		Recursive: s.Recursive, Ignore: append(slices.Clone(s.Ignore), filing.Temporaries), Logger: d.log,
		Apart: []string{s.Sorted, filepath.Dir(s.Database)},
		Known: func(path string, info fs.FileInfo) (bool, error) { return d.pipeline.Known(ctx, path, info) },
		Inspect: func(path string) (watcher.Condition, error) {
			return condition(filing.Inspect(s.Inbox, path, docutray.MaxFileSize))
		},
	}
}

func condition(i filing.Inspection, err error) (watcher.Condition, error) {
	switch {
	case err != nil:
		return watcher.Complete, err
	case i.Writing:
		return watcher.Writing, nil
	case !i.Complete:
		return watcher.Incomplete, nil
	}
	return watcher.Complete, nil
}

// run works until ctx is done. A token from reload makes it look at the inbox again
// and end every pause.
func (d *daemon) run(ctx context.Context, reload <-chan os.Signal) error {
	if err := d.retryDisk(ctx, d.recordStart); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.watcher.Run(ctx) })
	g.Go(func() error { return d.pipeline.Run(ctx) })
	g.Go(func() error { return d.followInbox(ctx) })
	g.Go(func() error { return d.notifyManager(ctx) })
	g.Go(func() error { return d.holdHanging(ctx) })
	g.Go(func() error { return d.hook.Run(ctx) })
	if d.page != nil {
		g.Go(func() error { return d.page.Run(ctx) })
	}
	g.Go(func() error {
		for {
			select {
			case <-reload:
				d.reload(ctx)
			case <-ctx.Done():
				return nil
			}
		}
	})
	return errors.Join(g.Wait(), d.recordStop(ctx))
}

func (d *daemon) reload(ctx context.Context) {
	d.log.Info("scanning the inbox again")
	d.manager.Reloading()
	d.watcher.Rescan()
	d.pipeline.RetryNow(ctx)
	d.manager.Ready()
}

// recordStart records the start of a run, and whether events are kept for a hook.
func (d *daemon) recordStart(ctx context.Context) error {
	dropped, err := d.store.Listen(ctx, d.hook != nil)
	if err != nil {
		return err
	}
	if dropped > 0 {
		d.log.Warn("there is no hook any more; the events for it are dropped", "events", dropped)
	}
	return d.store.Started(ctx, os.Getpid())
}

// recordStop records the end of a run in good order, if the disk allows it.
func (d *daemon) recordStop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := d.store.Stopped(ctx)
	if store.DiskTrouble(err) {
		d.log.Warn("the end of the run could not be recorded", "err", err)
		return nil
	}
	return err
}

// retryDisk does at the start what needs the disk of the database. The daemon waits
// while that disk is full, as it does later: a service manager would have given up
// restarting it by the time there is room.
func (d *daemon) retryDisk(ctx context.Context, do func(context.Context) error) error {
	if !d.waitsForDisk {
		return do(ctx)
	}
	return store.WaitForDisk(ctx, d.log, do)
}

// wasStopped reports whether err only says that ctx was cancelled.
func wasStopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}
