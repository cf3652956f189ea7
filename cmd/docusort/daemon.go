package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
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

	"golang.org/x/sync/errgroup"
)

// daemon is the parts of a run, put together.
type daemon struct {
	settings *settings.Settings
	log      *slog.Logger
	seams    seams
	store    *store.Store
	patient  bool // waits for the disk of the record at the start
	client   *docutray.Client
	files    chan string // from the watcher to the pipeline
	watcher  *watcher.Watcher
	pipeline *pipeline.Pipeline
	manager  *service.Manager
	hook     *hook.Runner   // nil: none
	meter    *status.Meter  // of the requests to the service
	page     *status.Server // nil: none
}

// newDaemon opens the record and puts the parts together. Nothing runs yet; the
// caller closes it. A patient one waits for the disk of the record.
func newDaemon(ctx context.Context, s *settings.Settings, log *slog.Logger, seams seams, patient bool) (*daemon, error) {
	d := &daemon{settings: s, log: log, seams: seams, patient: patient, files: make(chan string),
		manager: service.New(log), meter: status.NewMeter()}
	client, keys, err := newClient(s, log, d.meter.Observe)
	if err != nil {
		return nil, err
	}
	d.client = client
	if err := checkHook(s); err != nil {
		return nil, err
	}
	if err := makeHome(s); err != nil {
		return nil, err
	}
	d.store, err = store.Open(ctx, store.Config{Path: s.Database, Logger: log, Patient: patient, Fault: seams.record})
	if err != nil {
		d.client.Close()
		return nil, err
	}
	if err := errors.Join(d.makeFolder(ctx, "DOCUSORT_INBOX", s.Inbox), d.makeFolder(ctx, "DOCUSORT_SORTED", s.Sorted)); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.pipeline = pipeline.New(pipelineConfig(d, keys))
	if d.watcher, err = watcher.New(d.watcherConfig(ctx)); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *daemon) close() error {
	d.closeStatus()
	d.client.Close()
	return d.store.Close()
}

// newClient makes the client of the API, and the source of its key. observe is
// told of each request; nil is nobody.
func newClient(s *settings.Settings, log *slog.Logger, observe func(string, int, time.Duration)) (*docutray.Client, docutray.KeySource, error) {
	keys, err := keySource(s)
	if err != nil {
		return nil, nil, err
	}
	client, err := docutray.New(docutray.Config{BaseURL: s.BaseURL, Key: keys, UserAgent: userAgent(), Logger: log, Observe: observe})
	return client, keys, err
}

// keySource reads the key again after a 401 where it came from a file.
func keySource(s *settings.Settings) (docutray.KeySource, error) {
	if s.KeyFile != "" {
		return docutray.FileKey(s.KeyFile)
	}
	return docutray.StaticKey(s.Key.Reveal()), nil
}

// makeHome makes the folder of the database, where the settings leave everything
// beneath one home.
func makeHome(s *settings.Settings) error {
	if err := os.MkdirAll(s.Home, 0o755); err != nil {
		return fmt.Errorf("make DOCUSORT_HOME: %w; make it by hand for the user that docusort runs as, or set another one", err)
	}
	return nil
}

// makeFolder makes the inbox or the sorted folder at the first run. One that was
// there before and is missing now may be a filesystem that is not mounted: it is
// waited for, and never made, because what is put there would vanish under the
// mount.
func (d *daemon) makeFolder(ctx context.Context, name, path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && !info.IsDir():
		return settings.Problems{{Name: name, Text: fmt.Sprintf("%q is not a folder: name another one, or move what is there away", path)}}
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", name, err)
	}
	var known bool
	err := d.outlast(ctx, func() (err error) {
		known, err = d.store.KnowsFolder(ctx, path)
		return err
	})
	if err != nil {
		return err
	}
	if known {
		d.log.Warn("a folder that was there before is missing; waiting for it", "path", path)
		return nil
	}
	return os.MkdirAll(path, 0o775)
}

func pipelineConfig(d *daemon, keys docutray.KeySource) pipeline.Config {
	s := d.settings
	return pipeline.Config{
		Store: d.store, Service: d.client, Keys: keys, Files: d.files,
		Inbox: s.Inbox, Sorted: s.Sorted, Mover: filing.NewMover(filing.Options{Logger: d.log, Fault: d.seams.fault}), Logger: d.log,
		DocumentTypes: s.DocumentTypes, Metadata: s.Metadata,
		Workers: s.Workers, MaxPending: s.MaxPending, RequestsPerMinute: s.RequestsPerMinute,
		PollMin: s.PollMin, PollMax: s.PollMax, JobTimeout: s.JobTimeout, MaxAttempts: s.MaxAttempts,
		MinConfidence: s.MinConfidence, ReuseResults: s.ReuseResults, Sidecar: s.Sidecar, KeepHistory: s.KeepHistory,
		Settle: s.Settle, Rescan: s.Rescan, ShutdownGrace: s.ShutdownGrace,
		OnStep: d.seams.onStep,
	}
}

func (d *daemon) watcherConfig(ctx context.Context) watcher.Config {
	s := d.settings
	modes := map[settings.Watch]watcher.Mode{
		settings.WatchAuto: watcher.Auto, settings.WatchInotify: watcher.Inotify, settings.WatchPoll: watcher.Poll,
	}
	return watcher.Config{
		Root: s.Inbox, Files: d.files, Mode: modes[s.Watch],
		Rescan: s.Rescan, Settle: s.Settle, IncompleteAfter: s.IncompleteAfter,
		Recursive: s.Recursive, Ignore: append(slices.Clone(s.Ignore), filing.Temporaries), Logger: d.log,
		Known:   func(path string, info fs.FileInfo) (bool, error) { return d.pipeline.Known(ctx, path, info) },
		Inspect: func(path string) (watcher.Condition, error) { return condition(filing.Inspect(s.Inbox, path)) },
	}
}

// condition says in the watcher's words what was found in a file.
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

// run works until ctx is done. reload makes it look at once at what it would
// look at later.
func (d *daemon) run(ctx context.Context, reload <-chan os.Signal) error {
	if err := d.outlast(ctx, func() error { return d.started(ctx) }); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.watcher.Run(ctx) })
	g.Go(func() error { return d.pipeline.Run(ctx) })
	g.Go(func() error { return d.tellManager(ctx) })
	g.Go(func() error { return d.hook.Run(ctx) })
	g.Go(func() error { return d.serveStatus(ctx) })
	g.Go(func() error {
		for {
			select {
			case <-reload:
				d.log.Info("looking at the inbox again")
				d.manager.Reloading()
				d.watcher.Rescan()
				d.pipeline.Look()
				d.manager.Ready()
			case <-ctx.Done():
				return nil
			}
		}
	})
	return errors.Join(g.Wait(), d.stopped(ctx))
}

// stopped records the end of a run in good order, if the disk lets it.
func (d *daemon) stopped(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	err := d.store.Stopped(ctx)
	if store.DiskTrouble(err) {
		d.log.Warn("the end of the run could not be recorded", "err", err)
		return nil
	}
	return err
}

// stopTimeout bounds the last write of a run.
const stopTimeout = 5 * time.Second
