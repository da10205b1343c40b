package session

import (
	"time"

	"parley/engine"
	"parley/stream"
)

// effect is one thing the actor is to do. Effects are data.
type effect interface{ effect() }

type (
	// emit sends an event to the peer.
	emit struct{ event stream.Event }
	// guess starts a partial decode.
	guess struct {
		utt, epoch int
		window     engine.Window
		prefix     engine.Prefix
	}
	// decide starts a final decode.
	decide struct {
		utt    int
		window engine.Window
		prefix engine.Prefix
	}
	// abandon cancels the decode of an utterance.
	abandon struct{ utt int }
	// deafen tells the ear to drop input, or to take it again.
	deafen struct{ on bool }
	// open starts the mouth on a speech.
	open struct {
		epoch int
		voice string
		speed float64
		until time.Duration
	}
	// feed gives the mouth text; last says that no more comes.
	feed struct {
		epoch int
		text  string
		last  bool
	}
	// permit lets the mouth send audio up to a media time of the speech.
	permit struct {
		epoch int
		until time.Duration
	}
	// hush stops the mouth and takes back what is not on the wire yet.
	hush struct {
		epoch  int
		speech string
	}
	// arm sets a timer; it replaces the one of the same kind.
	arm struct {
		timer timer
		after time.Duration
	}
	// finish ends the session; silent where the peer is gone already.
	finish struct {
		code   stream.Code
		reason string
		silent bool
		cause  error
	}
)

// timer names a timer of the session by the input it brings.
type timer uint8

const (
	tickTimer timer = iota
	idleTimer
	ageTimer
	timers
)

func (emit) effect()    {}
func (guess) effect()   {}
func (decide) effect()  {}
func (abandon) effect() {}
func (deafen) effect()  {}
func (open) effect()    {}
func (feed) effect()    {}
func (permit) effect()  {}
func (hush) effect()    {}
func (arm) effect()     {}
func (finish) effect()  {}
