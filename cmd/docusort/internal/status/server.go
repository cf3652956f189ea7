package status

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"docusort/cmd/docusort/internal/report/web"
	"docusort/cmd/docusort/internal/settings"
)

// Config is what a server needs.
type Config struct {
	Addr     string // host:port or unix:/path
	Database string
	Version  string // of the program, for the page and the metrics
	Commit   string
	Logger   *slog.Logger
	Meter    *Meter        // of the requests to the service
	PollMax  time.Duration // the longest pause between two polls of a job
	Source   settings.Source
}

// Server serves the page with everything that belongs to it.
type Server struct {
	cfg      Config
	listener net.Listener
	cache    *cache
	http     *http.Server
	viewers  chan struct{} // a place for each
	closing  chan struct{} // closed at the end of Run
}

const (
	// maxViewers is how many pages may follow at a time.
	maxViewers = 32
	// shutdownTimeout is how long requests may take to finish at the end.
	shutdownTimeout = 2 * time.Second
)

// Listen takes the address. It fails where somebody else has it.
func Listen(cfg Config) (*Server, error) {
	listener, err := listen(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("status page: %w; set DOCUSORT_HTTP_ADDR to a free address of this machine", err)
	}
	s := &Server{
		cfg: cfg, listener: listener, cache: newCache(cfg),
		viewers: make(chan struct{}, maxViewers), closing: make(chan struct{}),
	}
	s.http = &http.Server{
		Handler:           s.guard(s.routes()),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       10 * time.Second,
		ConnState:         new(connections).track,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	if addr, ok := listener.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
		s.cfg.Logger.Warn("the status page can be reached from other machines",
			"address", listener.Addr().String())
	}
	return s, nil
}

// listen takes host:port, or unix:/path. The owner of a socket, and the group of its
// folder where that gives its group to new files, may connect.
func listen(addr string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(addr, "unix:")
	if !isUnix {
		return net.Listen("tcp", addr)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return nil, fmt.Errorf("listen unix %s: %w", path, syscall.EADDRINUSE)
		}
		_ = os.Remove(path) // of a daemon that was killed
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close gives up the address of a server that does not run.
func (s *Server) Close() error { return s.listener.Close() }

// Run serves until ctx is done. If the page cannot be served any more, it says so
// in the log: that is no reason for the daemon to end.
func (s *Server) Run(ctx context.Context) error {
	url := "http://" + s.Addr().String() + "/"
	if s.Addr().Network() == "unix" {
		url = "unix:" + s.Addr().String()
	}
	s.cfg.Logger.Info("the status page is ready", "url", url)
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		s.cfg.Logger.Error("the status page ended", "err", err)
		<-ctx.Done()
		return nil
	case <-ctx.Done():
	}
	close(s.closing) // viewers first, as they never end by themselves
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(last); err != nil {
		_ = s.http.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		s.cfg.Logger.Debug("the status page ended", "err", err)
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", asked(s.page))
	mux.HandleFunc("/events", asked(s.events))
	mux.HandleFunc("/healthz", s.healthz)
	mux.Handle("/metrics", newMetrics(s))
	mux.HandleFunc("/style.css", file("text/css; charset=utf-8", web.Style))
	mux.HandleFunc("/follow.js", file("text/javascript; charset=utf-8", follow))
	mux.HandleFunc("/favicon.svg", file("image/svg+xml", favicon))
	return mux
}

//go:embed follow.js
var follow string

//go:embed favicon.svg
var favicon string

func file(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	}
}
