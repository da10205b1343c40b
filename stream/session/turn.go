package session

import (
	"errors"
	"strings"
	"time"

	"parley/engine"
	"parley/stream"
	"parley/stream/session/endpoint"
)

// The rules of partial decoding, in media time.
const (
	firstPartial = 500 * time.Millisecond // of speech before the first partial
	nextPartial  = 200 * time.Millisecond // of new speech before the next, at any pace
	firstPace    = 500 * time.Millisecond // of new audio, until the recogniser says otherwise
)

func (s *state) onset(now time.Duration, in onset) []effect {
	if s.phase != live {
		return nil // an ending session takes no new utterance
	}
	s.hearing = &utterance{n: in.utt, from: in.from, at: in.at}
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
	u.hear(in.first, in.audio)
	u.live.Until(media(s.certain(u)))
	if u.pause.on {
		return s.rest(u)
	}
	return append(s.trim(u), s.maybeGuess(u)...)
}

// owing gives an utterance that has no terminal event yet.
func (s *state) owing(utt int) *utterance {
	for _, u := range s.owed() {
		if u.n == utt {
			return u
		}
	}
	return nil
}

// maybeGuess starts a partial decode when there is enough new speech, none is
// under way, and finals are not late. One that still waits for its turn gets
// the newest audio. In a pause there is nothing new to be heard.
func (s *state) maybeGuess(u *utterance) []effect {
	if s.cfg.Partials == stream.PartialsOff || s.flow != flowOK || u.pause.on || len(u.audio) == 0 {
		return nil
	}
	g, end := &u.guess, u.end()
	if length(end-u.window.from) > longest {
		return nil
	}
	if g.epoch != 0 {
		return []effect{show{g.epoch, s.view(u, end, u.live.Prefix())}}
	}
	if u.speech(end) < firstPartial || g.tried != 0 && (length(end-g.tried) < s.pace || u.speech(end)-g.spoken < nextPartial) {
		return nil
	}
	class := engine.ClassPartial
	if !g.known {
		class = engine.ClassFirst
	}
	s.epochs++
	g.epoch, g.tried, g.spoken = s.epochs, end, u.speech(end)
	return []effect{guess{u.n, g.epoch, class, s.view(u, end, u.live.Prefix())}}
}

// listed makes words that were asked for a list, if an empty one.
func listed(words []engine.Word) []engine.Word { return append([]engine.Word{}, words...) }

// inside are words with no time before or after an utterance: one that was promised
// may have been laid where the utterance turned out to be over.
func inside(words []engine.Word, from, to time.Duration) []engine.Word {
	words = listed(words)
	for i, w := range words {
		words[i].Start, words[i].End = min(max(w.Start, from), to), min(max(w.End, from), to)
	}
	return words
}

// stopGuessing cancels the partial decode of u, if one is under way.
func (s *state) stopGuessing(u *utterance) []effect {
	epoch := u.guess.epoch
	if epoch == 0 {
		return nil
	}
	u.guess.epoch = 0
	return []effect{abandon{u.n, epoch}}
}

func (s *state) guessed(in guessed) []effect {
	if in.pace > 0 {
		s.pace = in.pace
	}
	u := s.hearing
	if u == nil || u.n != in.utt || u.guess.epoch != in.epoch {
		return nil // stale: the utterance has moved on
	}
	g := &u.guess
	g.epoch = 0
	if in.err != nil || in.from != u.window.from {
		return nil // the next partial or the final will tell
	}
	g.tried, g.spoken, g.known = max(g.tried, in.to), max(g.spoken, u.speech(in.to)), true
	u.tongue.hear(in.hyp.Language, in.hyp.LanguageP, length(in.to-in.from))
	in.hyp.Words = shift(in.hyp.Words, media(in.from))
	stable, tail := u.live.Update(in.hyp, media(in.to))
	return append(s.tell(u, stable, tail, media(in.to)), s.maybeGuess(u)...)
}

// tell sends a partial made of the audio up to a time, if it says anything new.
func (s *state) tell(u *utterance, stable, tail []engine.Word, to time.Duration) []effect {
	if s.cfg.Partials == stream.PartialsStable {
		tail = nil
	}
	promised, rest := engine.Text(stable), engine.Text(tail)
	if promised == u.stable && rest == u.tail && (s.cfg.Partials == stream.PartialsStable || u.rev == 0 || to == u.shown) {
		return nil
	}
	u.rev++
	u.stable, u.tail, u.shown = promised, rest, max(u.shown, to)
	p := stream.Partial{Utterance: u.n, Rev: u.rev, Stable: promised, Tail: rest, Start: u.from, End: u.shown}
	if s.cfg.Words {
		p.StableWords, p.TailWords = listed(stable), listed(tail)
	}
	return say(p)
}

func (s *state) ended(in ended) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt {
		return nil
	}
	s.hearing = nil
	u.hear(in.first, in.audio)
	u.from, u.to, u.over, u.reason, u.voiced = in.from, in.to, s.now, in.reason, in.voiced
	out := say(stream.SpeechStopped{Utterance: u.n, At: in.at})
	out = append(out, s.stopGuessing(u)...)
	out = append(out, s.foregone(u, in.at)...)
	s.pending = append(s.pending, u)
	if len(s.pending) == 1 {
		out = append(out, s.finalise()...)
	}
	return append(append(out, s.reflow()...), s.settle()...)
}

// finalise starts the final of the oldest ended utterance, unless it was begun
// before the end. Where nothing was voiced there is nothing to decode.
func (s *state) finalise() []effect {
	var out []effect
	for len(s.pending) > 0 {
		u := s.pending[0]
		switch {
		case !u.voiced || u.spent():
			out = append(out, s.desist(u)...)
			out = append(out, s.over(engine.Transcript{Language: s.cfg.Language}))
		case u.draft != nil:
			out = append(out, s.over(u.draft.t))
		case u.ahead != nil:
			return append(out, promote{})
		default:
			s.epochs++
			u.final = s.epochs
			return append(out, decide{u.n, u.final, s.view(u, u.end(), s.promised(u))})
		}
	}
	return out
}

// over makes the final of the oldest ended utterance.
func (s *state) over(t engine.Transcript) effect {
	u := s.pending[0]
	s.pending = s.pending[1:]
	return emit{s.final(u, t)}
}

func (s *state) decided(in decided) []effect {
	if len(s.pending) == 0 || s.pending[0].n != in.utt || s.pending[0].final != in.epoch {
		return nil
	}
	var out []effect
	if in.err != nil {
		out = say(stream.Failed{Utterance: in.utt, Err: engineError(in.err)})
		s.pending = s.pending[1:]
	} else {
		in.t.Words = shift(in.t.Words, media(s.pending[0].window.from))
		out = []effect{s.over(in.t)}
	}
	out = append(out, s.finalise()...)
	return append(append(out, s.reflow()...), s.settle()...)
}

// whole is the transcript of all of u, where t is that of its window.
func (s *state) whole(u *utterance, t engine.Transcript) engine.Transcript {
	if s.cfg.Final == stream.FinalBest {
		return u.live.Free(t)
	}
	return u.live.Finish(t)
}

func (s *state) final(u *utterance, t engine.Transcript) stream.Final {
	t = s.whole(u, t)
	f := stream.Final{Utterance: u.n, Text: engine.Text(t.Words), Language: t.Language, Confidence: t.Confidence,
		Start: u.from, End: u.to, Reason: u.reason}
	f.Revised = !strings.HasPrefix(f.Text, u.stable)
	s.punctuates = s.punctuates || endpoint.Of(f.Text, f.Language) == endpoint.Complete
	if s.cfg.Words {
		f.Words = inside(t.Words, u.from, u.to)
	}
	return f
}

func (s *state) cleared(in cleared) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt {
		return say(stream.Cleared{Ref: in.ref})
	}
	s.hearing = nil
	out := s.desist(u)
	if u.draft != nil {
		out = append(out, s.count(u.draft, "cancelled")...)
	}
	return append(append(out, abandon{utt: u.n}, emit{stream.Cleared{Ref: in.ref, Utterance: u.n}}), s.settle()...)
}

// reflow tells the peer and the ear whether input keeps up with the finals.
func (s *state) reflow() []effect {
	waiting, flow := s.waiting(), flowOK
	switch {
	case waiting > s.limits.MaxBacklog:
		flow = flowDropping
	case waiting > s.limits.MaxBacklog/2, s.late() > s.limits.MaxBacklog/4:
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
