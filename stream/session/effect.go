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
		class      engine.Class
		view       view
	}
	// show gives a partial decode that has not begun something newer to look at.
	show struct {
		epoch int
		view  view
	}
	// foresee starts a final decode of an utterance that is not over.
	foresee struct {
		utt, epoch int
		view       view
	}
	// decide starts the final decode of an utterance that is over.
	decide struct {
		utt, epoch int
		view       view
	}
	// promote tells the recogniser that somebody waits for the final that was
	// begun early.
	promote struct{}
	// judge asks the turn model about the end of the audio.
	judge struct {
		utt, epoch int
		audio      []float32
	}
	// abandon cancels a decode or judgement of an utterance; all of them where
	// epoch is 0.
	abandon struct{ utt, epoch int }
	// hold tells the ear how much silence ends the utterance in this pause.
	hold struct{ utt, pause, ms int }
	// tally counts what became of a final decode that was begun early.
	tally struct{ outcome string }
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

// view is a window of an utterance from one session sample to another, and the
// words that a decode of it has to begin with.
type view struct {
	window   engine.Window
	prefix   engine.Prefix
	from, to int64
}

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
func (show) effect()    {}
func (foresee) effect() {}
func (decide) effect()  {}
func (promote) effect() {}
func (judge) effect()   {}
func (hold) effect()    {}
func (tally) effect()   {}
func (abandon) effect() {}
func (deafen) effect()  {}
func (open) effect()    {}
func (feed) effect()    {}
func (permit) effect()  {}
func (hush) effect()    {}
func (arm) effect()     {}
func (finish) effect()  {}
