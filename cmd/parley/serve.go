package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"parley/cmd/internal/auth"
	"parley/cmd/internal/config"
	"parley/cmd/internal/native"
	"parley/cmd/internal/parts"
	"parley/cmd/internal/serve"
	"parley/stream"
	nativedialect "parley/stream/native"
	"parley/stream/session"
	"parley/stream/ws"
	webdemo "parley/web-demo"
)

type serveCmd struct {
	config.Recognition
	config.Server
	Turn  config.Turn `embed:""`
	Voice string      `help:"Voice that speaks where a client names none; see parley voices." placeholder:"ID"`
}

// Validate checks both parts; kong calls it.
func (c serveCmd) Validate() error {
	if err := c.Recognition.Validate(); err != nil {
		return err
	}
	return c.Server.Validate()
}

// Run serves until a signal.
func (c serveCmd) Run(ctx context.Context, a *app) error {
	keys, err := auth.NewKeys(c.APIKeys)
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	srv := serve.New(serve.Config{
		Name:    serverName(),
		Listen:  c.Listen,
		Keys:    keys,
		Origins: c.AllowOrigin,
		Page:    webdemo.FS(),
		Metrics: metrics,
		Drain:   c.Drain,
		Log:     a.log,
	})
	return srv.Run(ctx, func(addr net.Addr) error { return c.listening(a, addr, keys) },
		func(ctx context.Context) (*serve.Backend, error) { return c.load(ctx, a, metrics) })
}

func (c serveCmd) listening(a *app, addr net.Addr, keys auth.Keys) error {
	a.log.Info().Str("address", addr.String()).Bool("keys", !keys.Open()).Msg("listening")
	if !a.json {
		a.notice("Parley is at http://%s", addr)
	}
	if keys.Open() && c.Insecure {
		a.log.Warn().Msg("--insecure: anybody who reaches this address may use it")
	}
	if c.AddrFile == "" {
		return nil
	}
	return writeFile(c.AddrFile, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, addr)
		return err
	})
}

func (c serveCmd) load(ctx context.Context, a *app, metrics *prometheus.Registry) (*serve.Backend, error) {
	limits, err := c.Limits.Stream()
	if err != nil {
		return nil, err
	}
	w, err := a.open(ctx, c.Recognition, c.Voice, metrics)
	if err != nil {
		return nil, err
	}
	if err := c.openTurn(a, w); err != nil {
		return nil, errors.Join(err, w.hearing.Close())
	}
	devices, err := parts.Devices(native.Find().Backends)
	if err != nil {
		return nil, errors.Join(err, w.hearing.Close())
	}
	hub, err := session.NewHub(session.Config{
		Services: w.services(), Limits: limits, MaxSessions: c.MaxSessions, Log: a.log, Registerer: metrics,
	})
	if err != nil {
		return nil, errors.Join(err, w.hearing.Close())
	}
	return &serve.Backend{
		Stream:  c.handler(a, hub, limits),
		Info:    c.info(w, limits),
		Devices: devices,
		Slots:   w.slots,
		Drain:   hub.Drain,
		Close:   w.hearing.Close,
	}, nil
}

// openTurn loads the end-of-turn model, where there is one.
func (c serveCmd) openTurn(a *app, w *works) error {
	path, err := c.Turn.Path(c.Models)
	if err != nil || path == "" {
		return err
	}
	if err := w.hearing.OpenTurn(path); err != nil {
		return fmt.Errorf("--turn-model (PARLEY_TURN_MODEL): %w", err)
	}
	w.turn = filepath.Base(path)
	a.log.Info().Str("model", w.turn).Msg("end-of-turn model loaded")
	return nil
}

func (c serveCmd) handler(a *app, hub *session.Hub, limits stream.Limits) http.Handler {
	return ws.Handler(ws.Config{
		Serve: hub.Serve,
		NewDialect: func(*http.Request) stream.Dialect {
			return nativedialect.New(nativedialect.Options{Limits: limits, Server: serverName()})
		},
		Subprotocols: []string{nativedialect.Subprotocol},
		Origins:      c.AllowOrigin,
		MaxMessage:   int64(limits.MaxFrame) + nativedialect.HeaderSize,
		Log:          a.log,
	})
}

func (c serveCmd) info(w *works, limits stream.Limits) serve.Info {
	info := serve.Info{
		Server: serverName(),
		Model:  serve.Model{Name: w.model.Name, Languages: append([]string{}, w.hearing.Languages...), Notice: w.model.Notice},
		Voices: serve.VoicesOf(w.voices.Voices()),
		Limits: serve.LimitsOf(limits),

		TurnModel: w.turn,
	}
	if v, err := w.voices.Find("", ""); err == nil {
		info.DefaultVoice = v.ID
	}
	return info
}
