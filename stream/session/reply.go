package session

import (
	"slices"
	"time"
	"unicode/utf8"

	"parley/stream"
)

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

// speak queues text. Voice and speed are resolved by intake already.
func (s *state) speak(now time.Duration, c stream.Speak) []effect {
	refuse := func(param, format string, args ...any) []effect {
		err := stream.Errorf(stream.BadRequest, param, format, args...)
		err.Ref = c.Ref
		return say(stream.ErrorEvent{Err: err})
	}
	if s.phase != live {
		return refuse("", "the session is not open for speech")
	}
	i := s.find(c.Speech)
	switch {
	case i >= 0 && !s.replies[i].open:
		return refuse("speech", "speech %q has all its text already", c.Speech)
	case i < 0 && !c.Replace && len(s.replies) == maxReplies:
		return refuse("speech", "%d speeches are waiting already", maxReplies)
	}
	var out []effect
	if c.Replace {
		out = s.silence(now, c.Speech)
		i = s.find(c.Speech)
	}
	if i < 0 {
		s.replies = append(s.replies, &reply{id: c.Speech, ref: c.Ref, voice: c.Voice, speed: c.Speed})
		i = len(s.replies) - 1
	}
	r := s.replies[i]
	if r.runes += utf8.RuneCountInString(c.Text); r.runes > maxSpeechText {
		err := stream.Errorf(stream.BadRequest, "text", "speech %q has more than %d characters", c.Speech, maxSpeechText)
		return append(out, s.drop(now, i, "failed", r.heard(now), err)...)
	}
	r.open = c.More
	if c.Text != "" || !c.More {
		r.pieces = append(r.pieces, c.Text)
	}
	if i == 0 {
		out = append(out, s.talk()...)
	}
	return out
}

// find gives the place of a speech among those spoken or waiting, or -1.
func (s *state) find(speech string) int {
	return slices.IndexFunc(s.replies, func(r *reply) bool { return r.id == speech })
}

func (s *state) isLive(speech string) bool {
	return len(s.replies) > 0 && s.replies[0].id == speech
}

// talk starts the first reply if it has not begun, and hands over its text.
func (s *state) talk() []effect {
	if len(s.replies) == 0 {
		return nil
	}
	r := s.replies[0]
	var out []effect
	if r.epoch == 0 {
		s.epochs++
		s.streams++
		s.stats.Speeches++
		r.epoch, r.stream = s.epochs, s.streams
		out = append(out, open{epoch: r.epoch, voice: r.voice, speed: r.speed, until: s.cfg.Lead}, arm{tickTimer, paceTick})
	}
	for i, text := range r.pieces {
		out = append(out, feed{epoch: r.epoch, text: text, last: !r.open && i == len(r.pieces)-1})
	}
	r.pieces = nil
	return out
}

// spoke takes what the mouth says of the speech it is on; of an earlier one it
// is stale, so that nothing cancelled is ever heard again.
func (s *state) spoke(now time.Duration, in input) []effect {
	if len(s.replies) == 0 {
		return nil
	}
	r := s.replies[0]
	switch in := in.(type) {
	case opened:
		if in.epoch == r.epoch && !r.opened {
			r.opened = true
			return say(stream.SpeakStarted{Ref: r.ref, Speech: r.id, Stream: r.stream, Format: in.format})
		}
	case uttered:
		if in.epoch == r.epoch {
			return s.uttered(now, r, in)
		}
	case mute:
		if in.epoch == r.epoch {
			return s.mute(now, r, in.err)
		}
	}
	return nil
}

func (s *state) uttered(now time.Duration, r *reply, in uttered) []effect {
	if r.sent == 0 {
		r.firstAt = now
	}
	r.sent = in.at + in.dur
	s.stats.Spoken += in.dur
	var out []effect
	for _, m := range in.marks {
		mark := stream.SpeakMark{Speech: r.id, From: m.From, To: m.To, At: m.At}
		r.marks = append(r.marks, mark)
		out = append(out, emit{mark})
	}
	return append(out, emit{stream.SpeakAudio{Speech: r.id, Stream: r.stream, Payload: in.payload, PTS: in.at}})
}

func (s *state) mute(now time.Duration, r *reply, err error) []effect {
	if err != nil {
		return s.drop(now, 0, "failed", r.heard(now), engineError(err))
	}
	r.complete = true
	var out []effect
	if r.opened {
		out = say(stream.SpeakSent{Speech: r.id, Stream: r.stream, PTS: r.sent})
	}
	return append(append(out, s.ticked(now)...), s.settle()...)
}

// ticked moves the permitted lead along and ends a speech that has been heard.
func (s *state) ticked(now time.Duration) []effect {
	if len(s.replies) == 0 || s.replies[0].epoch == 0 {
		return nil
	}
	r := s.replies[0]
	if r.complete && r.heard(now) >= r.sent {
		return s.drop(now, 0, "complete", r.sent, nil)
	}
	return []effect{permit{r.epoch, r.permitted(now, s.cfg.Lead)}, arm{tickTimer, paceTick}}
}

func (s *state) playedTo(now time.Duration, c stream.Played) []effect {
	if !s.isLive(c.Speech) {
		return nil // late report of a speech that has ended
	}
	r := s.replies[0]
	r.reported, r.played, r.playedAt = true, min(max(c.At, r.played), r.sent), now
	return s.ticked(now)
}

func (s *state) cancelSpeak(now time.Duration, c stream.CancelSpeak) []effect {
	if c.Speech == "" {
		return append(s.silence(now, ""), s.settle()...)
	}
	i := s.find(c.Speech)
	if i < 0 {
		err := stream.Errorf(stream.BadRequest, "speech", "speech %q is not being spoken", c.Speech)
		err.Ref = c.Ref
		return say(stream.ErrorEvent{Err: err})
	}
	at := s.replies[i].heard(now)
	if c.HasPlayed {
		at = min(max(c.Played, 0), s.replies[i].sent)
	}
	return s.drop(now, i, "cancelled", at, nil)
}

// silence cancels everything said and queued but one speech, if it is named.
func (s *state) silence(now time.Duration, but string) []effect {
	var out []effect
	kept := s.replies[:0:0]
	for _, r := range s.replies {
		if but != "" && r.id == but {
			kept = append(kept, r)
			continue
		}
		out = append(out, hush{r.epoch, r.id}, s.speakDone(r, "cancelled", r.heard(now), nil))
	}
	s.replies = kept
	return out
}

// drop ends the i-th reply and goes on with the next.
func (s *state) drop(now time.Duration, i int, reason string, at time.Duration, err *stream.Error) []effect {
	r := s.replies[i]
	s.replies = slices.Delete(s.replies, i, i+1)
	var out []effect
	if reason != "complete" {
		out = append(out, hush{r.epoch, r.id})
	}
	out = append(out, s.speakDone(r, reason, at, err))
	if i == 0 {
		out = append(out, s.talk()...)
	}
	return append(out, s.settle()...)
}

func (s *state) speakDone(r *reply, reason string, at time.Duration, err *stream.Error) effect {
	n := r.spoken(at)
	if reason == "complete" {
		n = r.runes
	}
	return emit{stream.SpeakDone{Speech: r.id, Reason: reason, Duration: at, SpokenChars: n, Err: err}}
}
