// Package ws is the WebSocket transport: it accepts a connection (RFC 6455) and
// shows it to the session core as a stream.Peer. It owns the handshake, limits
// on messages, liveness and the close codes; it knows no dialect and never
// looks into a message beyond its length and UTF-8.
package ws

import (
	"context"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"parley/stream"
)

// Config is what Handler needs. Serve, NewDialect and Subprotocols must be set;
// zero elsewhere means the default.
type Config struct {
	// Serve runs the session and closes the peer; Hub.Serve is one.
	Serve func(context.Context, stream.Peer, stream.Dialect) error
	// NewDialect makes the dialect of one connection.
	NewDialect func(*http.Request) stream.Dialect
	// Subprotocols are those the dialect speaks, the best first. A client that
	// offers others only is refused; one that offers none is taken in.
	Subprotocols []string
	// Origins are patterns of path.Match for hosts, or scheme://host, whose
	// pages may connect. A page of the same host always may.
	Origins []string
	// MaxMessage is the longest message in bytes; 1 MiB and the header of a frame.
	MaxMessage int64
	// WriteTimeout bounds one write; 5 s.
	WriteTimeout time.Duration
	// PingInterval is the time between pings, and how long a pong may take; 20 s.
	PingInterval time.Duration
	Log          zerolog.Logger
}

// Defaults of Config.
const (
	defaultMaxMessage   = 1<<20 + 16
	defaultWriteTimeout = 5 * time.Second
	defaultPingInterval = 20 * time.Second
)

// Bounds that are not configured.
const (
	closeTimeout = 5 * time.Second // for the close handshake, before the hard close
	maxMisses    = 2               // pings without any answer before a peer is dead
)

func (c Config) withDefaults() Config {
	if c.MaxMessage <= 0 {
		c.MaxMessage = defaultMaxMessage
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = defaultWriteTimeout
	}
	if c.PingInterval <= 0 {
		c.PingInterval = defaultPingInterval
	}
	return c
}

// Handler accepts WebSockets and runs a session on each. ServeHTTP returns when
// the session has ended and its connection is closed: whoever cancels the
// request's context (http.Server.BaseContext) and waits for Serve waits for
// all, which http.Server.Shutdown does not do for hijacked connections.
func Handler(c Config) http.Handler { return &handler{c.withDefaults()} }
