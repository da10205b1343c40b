package session

import (
	"time"

	"parley/stream"
)

const (
	paceTick      = 50 * time.Millisecond
	maxSpeechText = 65536 // runes of one speech
	maxReplies    = 64    // speeches spoken or waiting
)

// Flow states, as told to the peer.
const (
	flowOK       = "ok"
	flowSlow     = "slow"
	flowDropping = "dropping"
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
	now      time.Duration // of the step being taken
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

	pace       time.Duration // new audio between two partials, as the recogniser last said
	judges     bool          // there is a turn model
	punctuates bool          // the recogniser has been seen to end a sentence

	hearing *utterance   // the one being spoken
	pending []*utterance // ended, oldest first; the first is being finalised

	replies []*reply // the first is being spoken
	epochs  int      // epochs handed out, for decodes and speeches alike
	streams int      // output streams opened
}

func newState(session string, limits stream.Limits) *state {
	return &state{session: session, limits: limits, cfg: stream.DefaultConfig(), flow: flowOK, pace: firstPace}
}

// step takes one fact and says what to do about it. It is total: every fact has
// an answer in every phase, if only none.
func (s *state) step(now time.Duration, in input) []effect {
	if s.phase == closed {
		return nil
	}
	s.now = now
	switch in := in.(type) {
	case configured:
		return s.configured(now, in)
	case refused:
		s.lastSeen = now
		return s.fail(now, in.err)
	case warned:
		return say(stream.Warning{Code: in.code, Message: in.message})
	case asked:
		s.lastSeen = now
		return s.asked(now, in.cmd)
	case progress:
		s.lastSeen = now
		return s.progress(in)
	case onset:
		return s.onset(now, in)
	case heard:
		return s.heard(in)
	case paused:
		return s.paused(in)
	case resumed:
		return s.resumed(in)
	case ended:
		return s.ended(in)
	case cleared:
		return s.cleared(in)
	case guessed:
		return s.guessed(in)
	case foreseen:
		return s.foreseen(in)
	case judged:
		return s.judged(in)
	case decided:
		return s.decided(in)
	case opened, uttered, mute:
		return s.spoke(now, in)
	case ticked:
		return s.ticked(now)
	case idled:
		return s.idled(now)
	case aged:
		return s.aged(now)
	case cut:
		return s.fail(now, &stream.Error{Code: stream.Draining, Message: "the server is stopping", Fatal: true, Err: in.cause})
	case drained:
		return s.end(stream.Draining)
	case gone:
		s.phase = closed
		return []effect{finish{code: stream.Done, silent: true}}
	}
	return nil
}

func say(events ...stream.Event) []effect {
	out := make([]effect, len(events))
	for i, e := range events {
		out[i] = emit{e}
	}
	return out
}

func (s *state) configured(now time.Duration, in configured) []effect {
	s.lastSeen = now
	s.cfg = in.cfg
	if !in.start {
		return say(stream.Updated{Ref: in.ref, Config: in.cfg})
	}
	if s.phase == waiting {
		s.phase = live
	}
	var out []effect
	if in.resume {
		out = say(stream.ErrorEvent{Err: &stream.Error{Code: stream.ResumeExpired, Param: "resume", Ref: in.ref,
			Message: "this server does not keep sessions; a fresh one was opened"}})
	}
	return append(out,
		emit{stream.Started{Ref: in.ref, Session: s.session, Config: in.cfg, Limits: s.limits}})
}

// asked handles the commands that intake passes on.
func (s *state) asked(now time.Duration, cmd stream.Command) []effect {
	switch c := cmd.(type) {
	case stream.Speak:
		return s.speak(now, c)
	case stream.CancelSpeak:
		return s.cancelSpeak(now, c)
	case stream.Played:
		return s.playedTo(now, c)
	case stream.Ping:
		return say(stream.Pong{Ref: c.Ref, T: c.T, At: now})
	case stream.End:
		return s.end(stream.Done)
	}
	return nil
}

func (s *state) progress(in progress) []effect {
	s.stream = in.stream
	s.heardTo = in.to
	s.stats.Audio, s.stats.Concealed, s.stats.Dropped = in.to, in.concealed, in.dropped
	backlog := s.backlog()
	if s.hearing != nil {
		backlog += s.hearing.length()
	}
	return append(say(stream.Ack{Stream: in.stream, Seq: in.seq, PTS: in.to, Backlog: backlog}), s.reflow()...)
}

// end begins an orderly end: no new utterances, promised finals and speech first.
func (s *state) end(code stream.Code) []effect {
	if s.phase == waiting {
		return s.close(code, nil)
	}
	if s.phase != ending {
		s.phase, s.endCode = ending, code
	}
	var out []effect
	for i, r := range s.replies {
		if r.open {
			r.open = false
			if i == 0 {
				out = append(out, feed{epoch: r.epoch, last: true})
			} else {
				r.pieces = append(r.pieces, "")
			}
		}
	}
	return append(out, s.settle()...)
}

// settle closes an ending session once nothing is owed any more. Speech is
// owed until it is on the wire; when it was heard is the client's affair then.
func (s *state) settle() []effect {
	if s.phase != ending || s.hearing != nil || len(s.pending) > 0 {
		return nil
	}
	for _, r := range s.replies {
		if !r.complete {
			return nil
		}
	}
	var out []effect
	for _, r := range s.replies {
		out = append(out, s.speakDone(r, "complete", r.sent, nil))
	}
	s.replies = nil
	return append(out, s.close(s.endCode, nil)...)
}

// fail reports an error; a fatal one ends everything that is owed as failed.
func (s *state) fail(now time.Duration, err *stream.Error) []effect {
	out := say(stream.ErrorEvent{Err: err})
	if !err.Fatal {
		return out
	}
	why := &stream.Error{Code: err.Code, Message: "the session ended: " + err.Message}
	for _, u := range s.owed() {
		out = append(out, abandon{utt: u.n}, emit{stream.Failed{Utterance: u.n, Err: why}})
	}
	s.hearing, s.pending = nil, nil
	for _, r := range s.replies {
		out = append(out, hush{r.epoch, r.id}, s.speakDone(r, "failed", r.heard(now), why))
	}
	s.replies = nil
	return append(out, s.close(err.Code, err)...)
}

func (s *state) owed() []*utterance {
	owed := s.pending
	if s.hearing != nil {
		owed = append(owed[:len(owed):len(owed)], s.hearing)
	}
	return owed
}

func (s *state) close(code stream.Code, cause *stream.Error) []effect {
	s.phase = closed
	f := finish{code: code, reason: string(code)}
	if cause != nil {
		f.reason, f.cause = cause.Message, cause
	}
	return []effect{emit{stream.Ended{Reason: code, Stats: s.stats}}, f}
}

// aged asks a session that is too old to end, and ends one that then does not:
// an utterance that nobody commits or a speech that is never heard would hold it.
func (s *state) aged(now time.Duration) []effect {
	if s.old {
		return s.fail(now, stream.Fatalf(stream.SessionLimit, "", "the session is older than %v", s.limits.MaxSession))
	}
	s.old = true
	return append([]effect{arm{ageTimer, s.limits.Idle}}, s.end(stream.SessionLimit)...)
}

func (s *state) idled(now time.Duration) []effect {
	quiet := now - s.lastSeen
	speaking := len(s.replies) > 0 && !s.replies[0].reported // goes on without the client
	owing := s.phase == ending && (len(s.pending) > 0 || speaking)
	if quiet < s.limits.Idle || owing {
		return []effect{arm{idleTimer, max(s.limits.Idle-quiet, time.Second)}}
	}
	return s.fail(now, stream.Fatalf(stream.IdleTimeout, "", "nothing came from the client for %v", s.limits.Idle))
}
