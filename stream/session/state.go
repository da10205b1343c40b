package session

import (
	"time"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

// The rules of partial decoding, in media time.
const (
	firstPartial   = 800 * time.Millisecond  // of audio before the first partial: pre-roll and 0.5 s of speech
	surePartial    = 1500 * time.Millisecond // of audio before a detected language counts
	partialCadence = 500 * time.Millisecond  // of new audio between partials
	paceTick       = 50 * time.Millisecond
	maxSpeechText  = 65536 // runes of one speech
	maxReplies     = 64    // speeches spoken or waiting
)

// phase is the lifecycle of a session.
type phase uint8

const (
	waiting phase = iota // for Start
	live
	ending // no new utterances; what was promised is still delivered
	closed
)

// state is all that a session's actor owns. step changes it and says what to do;
// it does no I/O and looks at no clock: now is the time since the session began.
type state struct {
	session  string
	limits   stream.Limits
	phase    phase
	endCode  stream.Code // why the session is ending
	old      bool        // it has lasted for as long as it may
	cfg      stream.Config
	lastSeen time.Duration // when the peer last gave a sign of life
	heardTo  time.Duration // media time taken in
	flow     string
	stream   uint16 // the current input stream
	stats    stream.Stats

	hearing *utterance   // the one being spoken
	pending []*utterance // ended, oldest first; the first is being finalised

	replies []*reply // the first is being spoken
	epochs  int      // epochs handed out, for decodes and speeches alike
	streams int      // output streams opened
}

// utterance is one stretch of speech on its way to a final.
type utterance struct {
	n        int
	live     engine.Live
	audio    []float32 // read-only view, grows while it is being spoken
	from     time.Duration
	to       time.Duration
	reason   string
	voiced   bool
	rev      int
	stable   string
	language string        // as detected in enough audio; "" until then
	epoch    int           // of the decode running for it; 0 none
	decoding time.Duration // audio length of that decode
	tried    time.Duration // audio length of the last decode
}

func (u *utterance) length() time.Duration {
	return codec.Duration(len(u.audio), codec.SpeechRate)
}

// backlog is audio that was heard and has no final yet.
func (s *state) backlog() time.Duration {
	var d time.Duration
	for _, u := range s.pending {
		d += u.length()
	}
	return d
}

// waiting is the part of the backlog whose final has not begun: an utterance
// longer than the limit is no reason to drop what follows it.
func (s *state) waiting() time.Duration {
	if len(s.pending) == 0 {
		return 0
	}
	return s.backlog() - s.pending[0].length()
}
