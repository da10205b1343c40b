package session

import (
	"errors"
	"strings"
	"time"

	"parley/engine"
	"parley/stream"
)

func (s *state) onset(now time.Duration, in onset) []effect {
	if s.phase != live {
		return nil // an ending session takes no new utterance
	}
	s.hearing = &utterance{n: in.utt, from: in.from}
	s.stats.Utterances++
	out := say(stream.SpeechStarted{Utterance: in.utt, At: in.at})
	if s.cfg.Interrupt == stream.InterruptAuto {
		out = append(out, s.silence(now, "")...)
	}
	return out
}

func (s *state) heard(in heard) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt {
		return nil
	}
	u.audio = in.audio
	return s.maybeGuess()
}

// maybeGuess starts a partial decode when there is enough new audio, none is
// running, and finals are not late.
func (s *state) maybeGuess() []effect {
	u := s.hearing
	if u == nil || u.epoch != 0 || s.cfg.Partials == stream.PartialsOff || s.flow != flowOK {
		return nil
	}
	have := u.length()
	if have < firstPartial || have-u.tried < partialCadence {
		return nil
	}
	s.epochs++
	u.epoch, u.decoding, u.tried = s.epochs, have, have
	w := s.window(u)
	if w.Language == "" {
		w.Language = u.language // detecting it costs as much as the decode itself
	}
	return []effect{guess{utt: u.n, epoch: u.epoch, window: w, prefix: u.live.Prefix()}}
}

func (s *state) window(u *utterance) engine.Window {
	return engine.Window{Audio: u.audio, Language: s.cfg.Language, Task: s.cfg.Task, Prompt: s.cfg.Conditioning()}
}

func (s *state) guessed(in guessed) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt || u.epoch != in.epoch {
		return nil // stale: the utterance has moved on
	}
	u.epoch = 0
	if in.err != nil {
		return nil // the next partial or the final will tell
	}
	if u.decoding >= surePartial {
		u.language = in.hyp.Language
	}
	stable, tail := u.live.Update(in.hyp, u.decoding)
	text := engine.Text(stable)
	grew := text != u.stable
	u.stable = text
	if s.cfg.Partials == stream.PartialsStable {
		if !grew {
			return s.maybeGuess()
		}
		tail = nil
	}
	if u.rev == 0 && len(stable)+len(tail) == 0 {
		return s.maybeGuess()
	}
	u.rev++
	p := stream.Partial{Utterance: u.n, Rev: u.rev, Stable: text, Tail: engine.Text(tail), Start: u.from, End: u.from + u.decoding}
	if s.cfg.Words {
		p.StableWords, p.TailWords = shift(stable, u.from), shift(tail, u.from)
	}
	return append(say(p), s.maybeGuess()...)
}

func (s *state) ended(in ended) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt {
		return nil
	}
	s.hearing = nil
	u.audio, u.from, u.to, u.reason, u.voiced = in.audio, in.from, in.to, in.reason, in.voiced
	out := say(stream.SpeechStopped{Utterance: u.n, At: in.at})
	if u.epoch != 0 {
		u.epoch = 0
		out = append(out, abandon{u.n})
	}
	s.pending = append(s.pending, u)
	if len(s.pending) == 1 {
		out = append(out, s.finalise()...)
	}
	return append(append(out, s.reflow()...), s.settle()...)
}

// finalise starts the final of the oldest ended utterance. Where nothing was
// voiced there is nothing to decode.
func (s *state) finalise() []effect {
	var out []effect
	for len(s.pending) > 0 {
		u := s.pending[0]
		if u.voiced {
			return append(out, decide{utt: u.n, window: s.window(u), prefix: u.live.Prefix()})
		}
		out = append(out, emit{s.final(u, u.live.Finish(engine.Transcript{Language: s.cfg.Language}))})
		s.pending = s.pending[1:]
	}
	return out
}

func (s *state) decided(in decided) []effect {
	if len(s.pending) == 0 || s.pending[0].n != in.utt {
		return nil
	}
	u := s.pending[0]
	s.pending = s.pending[1:]
	var out []effect
	if in.err != nil {
		out = say(stream.Failed{Utterance: u.n, Err: engineError(in.err)})
	} else {
		out = say(s.final(u, u.live.Finish(in.t)))
	}
	out = append(out, s.finalise()...)
	return append(append(out, s.reflow()...), s.settle()...)
}

func (s *state) final(u *utterance, t engine.Transcript) stream.Final {
	f := stream.Final{Utterance: u.n, Text: engine.Text(t.Words), Language: t.Language, Confidence: t.Confidence,
		Start: u.from, End: u.to, Reason: u.reason}
	if s.cfg.Words {
		f.Words = shift(t.Words, u.from)
	}
	return f
}

func (s *state) cleared(in cleared) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt {
		return say(stream.Cleared{Ref: in.ref})
	}
	s.hearing = nil
	return append([]effect{abandon{u.n}, emit{stream.Cleared{Ref: in.ref, Utterance: u.n}}}, s.settle()...)
}

// reflow tells the peer and the ear whether input keeps up with the finals.
func (s *state) reflow() []effect {
	waiting, flow := s.waiting(), flowOK
	switch {
	case waiting > s.limits.MaxBacklog:
		flow = flowDropping
	case waiting > s.limits.MaxBacklog/2:
		flow = flowSlow
	}
	if flow == s.flow {
		return nil
	}
	was := s.flow
	s.flow = flow
	out := say(stream.Flow{Stream: s.stream, State: flow})
	if (flow == flowDropping) != (was == flowDropping) {
		out = append(out, deafen{flow == flowDropping})
	}
	return out
}

func engineError(err error) *stream.Error {
	switch {
	case errors.Is(err, engine.ErrBusy):
		return &stream.Error{Code: stream.Overloaded, Message: "every recogniser is busy", Err: err}
	case errors.Is(err, engine.ErrUnknownLanguage):
		return &stream.Error{Code: stream.BadRequest, Param: "asr.language", Message: err.Error(), Err: err}
	case errors.Is(err, engine.ErrUnknownVoice):
		return &stream.Error{Code: stream.BadRequest, Param: "voice", Message: err.Error(), Err: err}
	}
	return &stream.Error{Code: stream.EngineFailed, Message: strings.TrimSpace(err.Error()), Err: err}
}

// shift moves word times from the window to the session's media clock.
func shift(words []engine.Word, by time.Duration) []engine.Word {
	out := make([]engine.Word, len(words))
	for i, w := range words {
		w.Start, w.End = w.Start+by, w.End+by
		out[i] = w
	}
	return out
}
