// Package load makes the load of people who talk: every session sends its audio
// in real time, frame by frame as a microphone gives it, over a network that may
// stall and lose, whatever the server does meanwhile, and writes down what comes
// back when. It knows no protocol: a Dialer brings one.
package load

import (
	"context"
	"errors"
	"time"
)

// ErrRefused: the server said at once that it has no room for the session.
var ErrRefused = errors.New("the server refused the session")

// Dialer opens sessions in some protocol.
type Dialer interface {
	// Dial opens one. The plan tells those protocols in which the client finds the
	// end of speech where it is. The error may be ErrRefused.
	Dial(context.Context, Plan) (Conn, error)
}

// Conn is one session. Send and Finish are called by one goroutine, Receive by
// another one.
type Conn interface {
	Send(context.Context, Frame) error
	// Finish says that no more audio comes; what was heard is still told.
	Finish(context.Context) error
	// Receive returns what the server tells next, io.EOF after an orderly end.
	Receive(context.Context) (Event, error)
	Close() error
}

// Frame is 20 ms of a session's input.
type Frame struct {
	Seq    uint32        // counts frames that the network loses too
	At     time.Duration // media time of its first sample
	Packet []byte        // Opus
	PCM    []float32     // the same at codec.SpeechRate; nil is silence
}

// Kind says what an Event is about.
type Kind uint8

// The kinds.
const (
	Other   Kind = iota
	Partial      // Stable, Tail and where there are any Words
	Final        // Stable is its text
	Failed       // the utterance could not be transcribed
	Ended        // the server's account of the session
)

// Event is what a server tells. Times are media time.
type Event struct {
	Kind        Kind
	At          time.Time // when it came; set by Run
	Utterance   string    // the server's name for it
	Stable      string    // text that will not change
	Tail        string    // text that may
	Words       []Word    // of Stable and Tail; nil where the protocol has none
	StableWords int       // how many of Words are stable
	Start, End  time.Duration
	Revised     bool          // a final that owns up to breaking with its stable text
	Dropped     time.Duration // of Ended: audio that the server threw away
}

// Text is all of an event's text.
func (e Event) Text() string {
	if e.Stable == "" || e.Tail == "" {
		return e.Stable + e.Tail
	}
	return e.Stable + " " + e.Tail
}

// Word is a recognised word.
type Word struct {
	Text       string
	Start, End time.Duration
}
