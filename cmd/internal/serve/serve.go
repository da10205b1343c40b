// Package serve is Parley's HTTP server: routes, health, metrics, the demo page,
// and a shutdown that lets open sessions finish. It listens before the models
// are loaded, so that health can be asked from the first moment on.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"parley/cmd/internal/auth"
	"parley/cmd/internal/config"
)

// Config is what the server needs at once.
type Config struct {
	Name    string // "parley/0.1.0"
	Listen  string
	Keys    auth.Keys
	Origins []string // allowed beside the server's own
	Page    fs.FS
	Metrics prometheus.Gatherer
	Drain   time.Duration // open sessions may finish for so long
	Log     zerolog.Logger
}

// Backend is what it needs to serve sessions; it comes when models are loaded.
type Backend struct {
	Stream  http.Handler
	Info    Info
	Devices []Device
	Slots   int
	Drain   func(context.Context) error // ends the sessions
	Close   func() error                // frees what they used
}

// Server is one HTTP server. Make one with New.
type Server struct {
	cfg      Config
	loopback bool
	backend  atomic.Pointer[Backend]
	draining atomic.Bool
	stuck    atomic.Bool // sessions still use the backend: it must not be freed
}

// New makes a server that does not listen yet.
func New(cfg Config) *Server {
	host, _, _ := net.SplitHostPort(cfg.Listen) // config has checked it
	return &Server{cfg: cfg, loopback: config.Loopback(host)}
}

// closing bounds what remains after the sessions are drained, or cut off: a
// client that does not read takes 5 s for the last write and 5 s for the goodbye.
const closing = 12 * time.Second

// Run listens, tells the address, loads the backend and serves until ctx is
// done; then it drains and returns nil.
func (s *Server) Run(ctx context.Context, listening func(net.Addr) error, load func(context.Context) (*Backend, error)) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("--listen (PARLEY_LISTEN): %w", err)
	}
	if err := listening(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	base, cut := context.WithCancel(context.WithoutCancel(ctx)) // sessions outlive the signal
	defer cut()
	srv := s.httpServer()
	srv.BaseContext = func(net.Listener) context.Context { return base }
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error { return s.open(gctx, load) })
	group.Go(func() error {
		<-gctx.Done()
		return s.shutdown(srv, cut)
	})
	err = group.Wait()
	if b := s.backend.Load(); b != nil && b.Close != nil && !s.stuck.Load() {
		err = errors.Join(err, b.Close())
	}
	return err
}

// open loads the backend; a signal while it loads is no failure.
func (s *Server) open(ctx context.Context, load func(context.Context) (*Backend, error)) error {
	b, err := load(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.backend.Store(b)
	s.cfg.Log.Info().Str("model", b.Info.Model.Name).Int("slots", b.Slots).Int("voices", len(b.Info.Voices)).Msg("ready")
	return nil
}

// shutdown first refuses new sessions, then lets the open ones finish, then
// cuts off those that do not, then closes the rest.
func (s *Server) shutdown(srv *http.Server, cut func()) error {
	s.draining.Store(true)
	s.cfg.Log.Info().Dur("grace", s.cfg.Drain).Msg("draining")
	err := s.drain(s.cfg.Drain)
	if errors.Is(err, context.DeadlineExceeded) {
		s.cfg.Log.Warn().Msg("sessions did not end in time and are cut off")
		cut()
		err = s.drain(closing)
		s.stuck.Store(err != nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		err = errors.Join(err, srv.Close())
	}
	return err
}

func (s *Server) drain(grace time.Duration) error {
	b := s.backend.Load()
	if b == nil || b.Drain == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return b.Drain(ctx)
}

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // lifted when a WebSocket takes over
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(s.cfg.Log.With().Str("from", "http").Logger(), "", 0),
	}
}

func isPage(files fs.FS, url string) bool {
	name := strings.TrimPrefix(path.Clean("/"+url), "/")
	if name == "" {
		name = "index.html"
	}
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir()
}
