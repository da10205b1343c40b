// Package native is the dialect of the server's own protocol, speech.v1: JSON
// control messages as text, audio as binary messages with a 16-byte header or
// bare. It owns the wire format and its ids; it never imports a transport, and
// has no goroutine, clock or I/O. The protocol is described in
// docs/protocol.md and api/asyncapi.yaml.
package native

import (
	"github.com/oklog/ulid/v2"

	"parley/stream"
)

// Subprotocol is the WebSocket subprotocol of the dialect. Its number is the
// major version; everything added under the same number may be ignored.
const Subprotocol = "speech.v1"

// The two framings of audio in binary messages.
const (
	framingHeader = "header" // 16 bytes before each payload
	framingBare   = "bare"   // the payload alone: one stream each way
)

// Options are what a Dialect needs of the server.
type Options struct {
	Limits stream.Limits
	Server string        // name and version, told to the client
	NewID  func() string // unique and safe for concurrent use; nil for ULIDs
}

// Dialect translates one connection. Decode and Encode may be called at the
// same time, each from one goroutine.
type Dialect struct {
	in  decoder
	out encoder
}

var _ stream.Dialect = (*Dialect)(nil)

// New returns the dialect of a new connection.
func New(o Options) *Dialect {
	if o.NewID == nil {
		o.NewID = func() string { return ulid.Make().String() }
	}
	c := stream.DefaultConfig()
	return &Dialect{
		in:  decoder{maxFrame: o.Limits.MaxFrame, newID: o.NewID, input: c.Input, output: c.Output},
		out: encoder{server: o.Server, ids: utteranceIDs{newID: o.NewID}},
	}
}

// Decode returns the commands of one message. Every error is a *stream.Error.
func (d *Dialect) Decode(m stream.Message) ([]stream.Command, error) {
	cmd, err := d.in.message(m)
	if err != nil {
		return nil, err
	}
	if cmd == nil {
		return nil, nil
	}
	return []stream.Command{cmd}, nil
}

// Encode returns the messages for one event; none for what the protocol has no word for.
func (d *Dialect) Encode(e stream.Event) ([]stream.Message, error) {
	return d.out.event(e)
}
