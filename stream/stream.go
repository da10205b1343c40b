// Package stream is the contract between the session core and what surrounds
// it: a transport moves messages (Peer), a dialect translates them (Dialect) to
// the sealed Command and Event sets, and Config is what a client can ask for.
// Package session below it is the core. Nothing here has a goroutine, a clock or
// I/O; it never imports a network library or a native backend.
package stream

import (
	"context"
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
