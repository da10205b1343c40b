package session

import (
	"time"

	"parley/codec"
	"parley/engine"
)

// utterance is one stretch of speech on its way to a final. It is a view of the
// ear's audio and what has been made of it so far.
type utterance struct {
	n      int
	live   engine.Live   // in media time
	audio  []float32     // read-only view, grows while it is being spoken
	first  int64         // session sample at which audio begins
	from   time.Duration // the same in media time
	at     time.Duration // where speech begins
	to     time.Duration // end, once it is over
	silent time.Duration // in pauses that are over
	over   time.Duration // now, when it was
	reason string
	voiced bool

	rev    int
	stable string        // as told last
	tail   string        // as told last
	shown  time.Duration // end of the audio of what was told last
	tongue tongue
	window window
	guess  guessing
	pause  pause
	ahead  *attempt // the final decode that is running before the end
	draft  *attempt // the last one that came back
	final  int      // epoch of the final decode, 0 while there is none
}

// window is the part of an utterance that decodes look at: from a session sample on.
type window struct {
	from  int64
	memo  *engine.Memo
	cuts  []int64 // where it can be cut off: in pauses, oldest first
	retry int64   // no cut is tried before the audio is this long
}

// guessing follows the partial decodes of an utterance.
type guessing struct {
	epoch  int           // of the one that waits or runs, 0 none
	tried  int64         // session sample up to which the last one looked
	spoken time.Duration // speech up to there
	known  bool          // one has come back
}

// tongue is what language an utterance was found to be in.
type tongue struct {
	heard  string // as detected last, in enough audio
	locked bool   // later partials do not detect again
}

const (
	surePartial  = 1500 * time.Millisecond // of audio a language must have been detected in to count
	sureLanguage = 0.7                     // probability from which one detection is enough
)

// hear takes a detection of probability p, 0 where unknown. A sure one is
// believed, and two alike in a row are.
func (t *tongue) hear(language string, p float32, in time.Duration) {
	if t.locked || in < surePartial || language == "" {
		return
	}
	t.locked = language == t.heard || p >= sureLanguage
	t.heard = language
}

// spoken is the language to decode in, "" to detect it.
func (t *tongue) spoken() string {
	if t.locked {
		return t.heard
	}
	return ""
}

func media(sample int64) time.Duration { return codec.Duration(int(sample), codec.SpeechRate) }

func length(samples int64) time.Duration { return media(samples) }

func samplesIn(d time.Duration) int64 { return int64(codec.Samples(d, codec.SpeechRate)) }

// hear takes a newer view of the audio. One that begins later has lost silence.
func (u *utterance) hear(first int64, audio []float32) {
	u.first, u.from, u.audio = first, media(first), audio
	if u.window.memo == nil || u.window.from < first {
		u.window = window{from: first, memo: new(engine.Memo), cuts: u.window.cuts}
	}
}

// end is the session sample after the last one heard.
func (u *utterance) end() int64 { return u.first + int64(len(u.audio)) }

func (u *utterance) length() time.Duration {
	return codec.Duration(len(u.audio), codec.SpeechRate)
}

// speech is how much was said up to a session sample, where it is not in a pause.
func (u *utterance) speech(to int64) time.Duration { return media(to) - u.at - u.silent }

// spent reports whether the window holds nothing that was not cut off already.
func (u *utterance) spent() bool {
	return len(u.audio) == 0 || u.window.from > u.first && u.end()-u.window.from < samplesIn(100*time.Millisecond)
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

// late is how long the oldest utterance whose final has not begun has been over: on
// a machine that many share little audio can wait for long.
func (s *state) late() time.Duration {
	if len(s.pending) < 2 {
		return 0
	}
	return s.now - s.pending[1].over
}

// shift moves word times from one clock to another.
func shift(words []engine.Word, by time.Duration) []engine.Word {
	if words == nil {
		return nil
	}
	out := make([]engine.Word, len(words))
	for i, w := range words {
		w.Start, w.End = w.Start+by, w.End+by
		out[i] = w
	}
	return out
}
