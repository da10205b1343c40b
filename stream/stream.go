// Package stream is the session core: it hears, understands and speaks for one
// peer. Two orthogonal parts reach it: a transport moves messages (Peer), a
// dialect translates them to the sealed Command and Event sets (Dialect). The
// core knows neither. One actor goroutine owns all state of a session; Hub
// admits, tracks and drains sessions. It never imports a network library or a
// native backend.
package stream

import (
	"context"
	"slices"

	"parley/codec"
	"parley/engine"
	"parley/vad"
)

// Kind tells how a transport carried a message.
type Kind uint8

// The kinds of message.
const (
	Text   Kind = iota + 1 // UTF-8, checked by the transport
	Binary                 // bytes of a dialect's own framing
	Media                  // one bare media payload, as RTP delivers it
)

// Message is what a transport moves, in either direction.
type Message struct {
	Kind    Kind
	Payload []byte
}

// Peer is one connected client as a transport shows it. Read and Write may be
// called at the same time, each from one goroutine; Close from any, once.
type Peer interface {
	// Read returns the next message; io.EOF after an orderly close by the peer;
	// an *Error for a message that broke a limit of the transport.
	Read(context.Context) (Message, error)
	Write(context.Context, Message) error
	// Close says why and releases the connection.
	Close(code Code, reason string) error
}

// Dialect translates between one connection's messages and the core. Decode is
// called by the reading goroutine and Encode by the actor: the two share no
// mutable state. Neither blocks, does I/O or looks at a clock.
type Dialect interface {
	// Decode returns the commands of one message; an *Error where it is wrong.
	Decode(Message) ([]Command, error)
	// Encode returns the messages for one event, none where the dialect has no word for it.
	Encode(Event) ([]Message, error)
}

// Recognizer hears. engine.Pool is one. session names who asks, for fairness.
type Recognizer interface {
	Partial(ctx context.Context, session string, w engine.Window, p engine.Prefix) (engine.Hypothesis, error)
	Final(ctx context.Context, session string, w engine.Window, p engine.Prefix) (engine.Transcript, error)
}

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
