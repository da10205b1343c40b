// Package session is the core: one actor goroutine owns all state of a session,
// step decides as a pure function of facts, and Hub admits, tracks and drains.
// It hears, understands and speaks for a stream.Peer in a stream.Dialect and
// knows neither; it never imports a network library or a native backend.
package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"parley/codec"
	"parley/engine"
	"parley/stream"
	"parley/stream/session/mail"
	"parley/vad"
)

// Recognizer hears. engine.Pool is one, and says what the methods do.
type Recognizer interface {
	Partial(ctx context.Context, a engine.Ask, latest func() (engine.Window, engine.Prefix)) (engine.Hypothesis, error)
	Final(ctx context.Context, a engine.Ask, w engine.Window, p engine.Prefix) (engine.Transcript, error)
	Pace() time.Duration
	Admit(sessions int) error
}

// TurnModel says from sound alone how probable it is, 0 to 1, that a speaker who
// fell silent has said all they wanted to. audio is the end of the utterance with
// the silence after it, at most 8 s, mono at codec.SpeechRate, read only. It is
// safe for concurrent use.
type TurnModel interface {
	Probability(ctx context.Context, audio []float32) (float64, error)
}

// promoter is a Recognizer that can be told that somebody waits for what was
// speculative when a session asked for it. engine.Pool is one.
type promoter interface{ Promote(session string) }

// Voices speak. Find resolves an id, a bare name or a language to a voice, or
// fails with engine.ErrUnknownVoice.
type Voices interface {
	engine.Synthesizer
	Find(voice, language string) (engine.Voice, error)
}

// Detector is a vad.Detector with its own native memory.
type Detector interface {
	vad.Detector
	Close() error
}

// Services are the concrete parts a session works with.
type Services struct {
	Recognizer  Recognizer
	Turn        TurnModel // nil: the words alone tell
	Voices      Voices
	NewDetector func() (Detector, error)
	NewDecoder  func(f codec.Format, rate int) (codec.Decoder, error)
	NewEncoder  func(f codec.Format, srcRate int) (codec.Encoder, error)
	// Model describes what Recognizer runs: its name and the languages it knows.
	Model Model
}

// Model names what recognises.
type Model struct {
	Name      string
	Languages []string // ISO 639-1; empty where it knows all that Whisper knows
}

// Knows reports whether the model hears a language.
func (m Model) Knows(language string) bool {
	return len(m.Languages) == 0 || slices.Contains(m.Languages, language)
}

// Multilingual reports whether the model hears more than one language; only
// such models translate.
func (m Model) Multilingual() bool { return len(m.Languages) != 1 }

// Config is what a Hub needs.
type Config struct {
	Services    Services
	Limits      stream.Limits
	MaxSessions int
	Log         zerolog.Logger
	Registerer  prometheus.Registerer // nil: no metrics
}

// Validate reports a configuration no session could work with.
func (c Config) Validate() error {
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
	cfg     Config
	metrics *metrics

	mu       sync.Mutex
	sessions map[string]*session
	draining bool
	empty    sync.Cond // signalled whenever a session ends
}

// NewHub makes a Hub.
func NewHub(cfg Config) (*Hub, error) {
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
func (h *Hub) Serve(ctx context.Context, peer stream.Peer, d stream.Dialect) error {
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
func turnAway(ctx context.Context, peer stream.Peer, d stream.Dialect, why *stream.Error) error {
	ctx, cancel := context.WithTimeout(ctx, mail.WriteTimeout)
	defer cancel()
	ms, err := d.Encode(stream.ErrorEvent{Err: why})
	for _, m := range ms {
		if err == nil {
			err = peer.Write(ctx, m)
		}
	}
	return errors.Join(err, peer.Close(why.Code, why.Message))
}

func (h *Hub) admit(s *session) *stream.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return stream.Fatalf(stream.Draining, "", "the server is shutting down; connect elsewhere")
	case len(h.sessions) >= h.cfg.MaxSessions:
		return stream.Fatalf(stream.Overloaded, "", "the server has its %d sessions; try again later", h.cfg.MaxSessions)
	}
	if refusal := full(h.cfg.Services.Recognizer.Admit(len(h.sessions))); refusal != nil {
		return refusal
	}
	h.sessions[s.id] = s
	h.metrics.opened()
	return nil
}

// full is what the client is told where the recogniser can take nobody more.
func full(err error) *stream.Error {
	if err == nil {
		return nil
	}
	e := stream.Fatalf(stream.Overloaded, "", "the server is busy: %w", err)
	if o, ok := errors.AsType[*engine.Overload](err); ok {
		e.Message, e.RetryAfter = "the server is busy: "+o.Why, o.RetryAfter
	}
	return e
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
