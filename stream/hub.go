package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// HubConfig is what a Hub needs.
type HubConfig struct {
	Services    Services
	Limits      Limits
	MaxSessions int
	Log         zerolog.Logger
	Registerer  prometheus.Registerer // nil: no metrics
}

// Validate reports a configuration no session could work with.
func (c HubConfig) Validate() error {
	if c.MaxSessions < 1 {
		return fmt.Errorf("max_sessions: %d, want at least 1", c.MaxSessions)
	}
	s := c.Services
	if s.Recognizer == nil || s.Voices == nil || s.NewDetector == nil || s.NewDecoder == nil || s.NewEncoder == nil {
		return errors.New("a service is missing")
	}
	return c.Limits.Validate()
}

// Hub admits sessions, knows those that live and ends them.
type Hub struct {
	cfg     HubConfig
	metrics *metrics

	mu       sync.Mutex
	sessions map[string]*session
	draining bool
	empty    sync.Cond // signalled whenever a session ends
}

// NewHub makes a Hub.
func NewHub(cfg HubConfig) (*Hub, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h := &Hub{cfg: cfg, metrics: newMetrics(cfg.Registerer), sessions: make(map[string]*session)}
	h.empty.L = &h.mu
	return h, nil
}

// Serve runs one session over peer until either side ends it; the connection is
// closed when it returns. A session over the limits is refused with an error
// the dialect can say. The error says why a session ended out of order.
func (h *Hub) Serve(ctx context.Context, peer Peer, d Dialect) error {
	s := newSession("sess_"+ulid.Make().String(), peer, d, h.cfg, h.metrics)
	if refusal := h.admit(s); refusal != nil {
		h.metrics.refuse(refusal.Code)
		return errors.Join(refusal, turnAway(ctx, peer, d, refusal))
	}
	defer h.release(s)
	s.log.Info().Msg("session opened")
	err := s.serve(ctx)
	s.log.Info().AnErr("cause", err).Dur("lasted", time.Since(s.begun)).Dur("audio", s.state.stats.Audio).
		Int("utterances", s.state.stats.Utterances).Int("speeches", s.state.stats.Speeches).Msg("session closed")
	return err
}

// turnAway tells a peer that was not admitted why.
func turnAway(ctx context.Context, peer Peer, d Dialect, why *Error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	ms, err := d.Encode(ErrorEvent{why})
	for _, m := range ms {
		if err == nil {
			err = peer.Write(ctx, m)
		}
	}
	return errors.Join(err, peer.Close(why.Code, why.Message))
}

func (h *Hub) admit(s *session) *Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return fatalf(Draining, "", "the server is shutting down; connect elsewhere")
	case len(h.sessions) >= h.cfg.MaxSessions:
		return fatalf(Overloaded, "", "the server has its %d sessions; try again later", h.cfg.MaxSessions)
	}
	h.sessions[s.id] = s
	h.metrics.opened()
	return nil
}

func (h *Hub) release(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s.id)
	h.metrics.closed()
	h.empty.Broadcast()
}

// Sessions counts those that live.
func (h *Hub) Sessions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions)
}

// Drain admits nobody any more and asks every session to end after what it has
// promised. It returns when all have ended, or the cause of ctx.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
	for _, s := range h.sessions {
		select {
		case s.drain <- struct{}{}:
		default:
		}
	}
	stop := context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.empty.Broadcast()
	})
	defer stop()
	for len(h.sessions) > 0 && ctx.Err() == nil {
		h.empty.Wait()
	}
	if len(h.sessions) > 0 {
		return fmt.Errorf("%d sessions did not end: %w", len(h.sessions), context.Cause(ctx))
	}
	return nil
}
