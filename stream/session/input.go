package session

import (
	"time"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

// input is one fact the actor acts on: from the peer by way of intake, from a
// worker, from a timer or from the hub.
type input interface{ input() }

type (
	// configured: intake accepted a configuration.
	configured struct {
		ref    string
		cfg    stream.Config
		start  bool
		resume bool
	}
	// refused: intake found something wrong with what the peer sent.
	refused struct{ err *stream.Error }
	// asked: a command that intake had nothing to do with, or has done its part of.
	asked struct{ cmd stream.Command }
	// warned: intake mended or ignored something.
	warned struct{ code, message string }
	// onset: an utterance began.
	onset struct {
		utt            int
		from, at, seen time.Duration // seen: the media clock when it was noticed
	}
	// heard: the utterance so far. audio is a read-only view that begins at the
	// session sample first.
	heard struct {
		utt   int
		first int64
		audio []float32
	}
	// paused: silence has begun at a time. The ear numbers pauses in the session.
	paused struct {
		utt, pause int
		first      int64
		audio      []float32
		at         time.Duration
		voiced     time.Duration // speech so far
	}
	// resumed: speech goes on after the pause.
	resumed struct {
		utt int
		at  time.Duration
	}
	// ended: the utterance is over and this is all of it.
	ended struct {
		utt          int
		first        int64
		audio        []float32
		from, to, at time.Duration
		seen         time.Duration // the media clock when it was noticed
		reason       string
		voiced       bool
	}
	// cleared: the utterance is forgotten.
	cleared struct {
		ref string
		utt int
	}
	// progress: input was taken in up to here.
	progress struct {
		stream             uint16
		seq                uint32
		to                 time.Duration
		concealed, dropped time.Duration
	}
	// gone: the peer is not there any more.
	gone struct{ err error }

	// guessed: a partial decode came back. It looked at the audio between two
	// session samples; pace is how much new audio the recogniser wants before the next.
	guessed struct {
		utt, epoch int
		from, to   int64
		hyp        engine.Hypothesis
		pace       time.Duration
		err        error
	}
	// foreseen: a final decode of an utterance that was not over came back.
	foreseen struct {
		utt, epoch int
		t          engine.Transcript
		err        error
	}
	// judged: the turn model says how probable it is that the turn is over.
	judged struct {
		utt, epoch int
		p          float64
		err        error
	}
	// decided: a final decode came back.
	decided struct {
		utt, epoch int
		t          engine.Transcript
		err        error
	}
	// opened: the mouth knows the format of a speech.
	opened struct {
		epoch  int
		format codec.Format
	}
	// uttered: the mouth made one payload of a speech, and these words begin in it.
	uttered struct {
		epoch   int
		payload []byte
		at, dur time.Duration
		marks   []engine.Mark
	}
	// mute: the mouth is done with a speech.
	mute struct {
		epoch int
		err   error
	}

	// ticked, idled, aged: timers went off.
	ticked struct{}
	idled  struct{}
	aged   struct{}
	// drained: the hub wants the session to end.
	drained struct{}
	// cut: the server does not wait for the session any longer.
	cut struct{ cause error }
)

func (configured) input() {}
func (refused) input()    {}
func (asked) input()      {}
func (warned) input()     {}
func (onset) input()      {}
func (heard) input()      {}
func (paused) input()     {}
func (resumed) input()    {}
func (ended) input()      {}
func (cleared) input()    {}
func (progress) input()   {}
func (gone) input()       {}
func (guessed) input()    {}
func (foreseen) input()   {}
func (judged) input()     {}
func (decided) input()    {}
func (opened) input()     {}
func (uttered) input()    {}
func (mute) input()       {}
func (ticked) input()     {}
func (idled) input()      {}
func (aged) input()       {}
func (drained) input()    {}
func (cut) input()        {}
