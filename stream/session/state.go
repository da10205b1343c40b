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

// reply is one speech, queued or being spoken.
type reply struct {
	id     string
	ref    string // of the command that began it
	voice  string
	speed  float64
	epoch  int // 0 while queued
	stream int
	pieces []string // text not yet handed to the mouth
	runes  int
	open   bool // more text will come

	opened   bool          // SpeakStarted is out
	sent     time.Duration // audio on the wire
	complete bool          // all of it
	firstAt  time.Duration // now, when the first audio went out
	reported bool
	played   time.Duration // as last reported
	playedAt time.Duration // now, when it was
	marks    []stream.SpeakMark
}

// heard estimates how much of the speech has been heard.
func (r *reply) heard(now time.Duration) time.Duration {
	switch {
	case r.sent == 0:
		return 0
	case r.reported:
		return min(r.sent, r.played+now-r.playedAt)
	}
	return min(r.sent, now-r.firstAt)
}

// permitted is how far audio may be sent.
func (r *reply) permitted(now, lead time.Duration) time.Duration {
	switch {
	case r.reported:
		return r.played + lead
	case r.sent == 0:
		return lead
	}
	return now - r.firstAt + lead
}

// spoken counts the characters whose sound had begun at a media time.
func (r *reply) spoken(at time.Duration) int {
	n := 0
	for _, m := range r.marks {
		if m.At < at {
			n = max(n, m.To)
		}
	}
	return n
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
