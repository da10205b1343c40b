package session

import (
	"errors"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/stream"
	"parley/stream/session/endpoint"
	"parley/vad"
)

// The rules of pauses, in media time.
const (
	voicedEnough = 200 * time.Millisecond // of speech before a final is decoded early
	busyPace     = 750 * time.Millisecond // pace from which only longer pauses are worth an early final
	turnPause    = 200 * time.Millisecond // of silence before a turn can be over
	turnAudio    = 8 * time.Second        // that the turn model is given at most
	mostSilence  = 10 * time.Second       // that an utterance can be made to wait for

	surelyOver  = 0.8 // probability from which the end does not wait for all the silence
	surelyNot   = 0.3 // probability below which it waits longer
	outcomeHit  = "hit"
	outcomeLate = "late"
)

// pause is the silence an utterance is in, or was in last.
type pause struct {
	n      int           // as the ear counts
	on     bool          // it lasts
	at     time.Duration // where speech ended
	to     int64         // session sample after the audio that was told with it
	voiced time.Duration // speech before it
	tried  bool          // an early final was begun
	held   int           // ms of silence that end the utterance now; 0 as configured
	eager  bool          // TurnEager was told

	judging int      // epoch of the judgement asked for, 0 none
	verdict *float64 // probability that the turn is over, once the model has said it
	silent  bool     // the model failed: it will not say
}

// terms are what a final was asked for with. One decoded on other terms is no use.
type terms struct {
	language, prompt string
	task             engine.Task
	policy           stream.FinalPolicy
}

func (s *state) terms() terms {
	return terms{s.cfg.Language, s.cfg.Conditioning(), s.cfg.Task, s.cfg.Final}
}

// attempt is a final decode of an utterance that is not over: of all of the window
// in a pause, or of a piece that is to be cut off.
type attempt struct {
	epoch    int
	piece    bool
	pause    int
	at       time.Duration // where speech had ended
	from, to int64
	terms    terms
	t        engine.Transcript // once it is back, in media time
	text     string            // of the final it would make
	sound    endpoint.Sound
	done     bool // its outcome is counted
}

// holds reports whether an attempt is still one at u's window on the terms of now.
func (s *state) holds(u *utterance, a *attempt) bool {
	return a.from == u.window.from && a.terms == s.terms()
}

// paused takes the begin of a pause: the utterance may be over.
func (s *state) paused(in paused) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt {
		return nil
	}
	u.hear(in.first, in.audio)
	u.pause = pause{n: in.pause, on: true, at: in.at, to: u.end(), voiced: in.voiced}
	return s.rest(u)
}

// rest is what there is to do while a pause lasts.
func (s *state) rest(u *utterance) []effect {
	p := &u.pause
	silence := media(u.end()) - p.at
	var out []effect
	patient := silence >= turnPause || s.pace < busyPace
	if !p.tried && patient && p.voiced >= voicedEnough && s.flow == flowOK && u.ahead == nil && !s.foreseeing() && p.to > u.window.from {
		p.tried = true
		out = s.foresee(u, &attempt{pause: p.n, at: p.at, to: p.to})
	}
	if s.judges && s.turns() && p.judging == 0 && silence >= turnPause {
		s.epochs++
		p.judging = s.epochs
		n := len(u.audio)
		out = append(out, judge{u.n, p.judging, u.audio[max(0, n-codec.Samples(turnAudio, codec.SpeechRate)):n:n]})
	}
	return append(out, s.weigh(u)...)
}

// turns reports whether silence ends turns.
func (s *state) turns() bool { return s.cfg.VAD.Mode == vad.Server }

// foreseeing reports whether a final that was begun early still runs for an
// utterance that is over by now.
func (s *state) foreseeing() bool {
	for _, u := range s.pending {
		if u.ahead != nil {
			return true
		}
	}
	return false
}

// foresee begins a final decode of u's window up to a.to. Pieces are decoded
// freely: how much of what was promised lies in them shows only afterwards.
func (s *state) foresee(u *utterance, a *attempt) []effect {
	s.epochs++
	a.epoch, a.from, a.terms = s.epochs, u.window.from, s.terms()
	u.ahead = a
	var prefix engine.Prefix
	if !a.piece {
		prefix = s.promised(u)
	}
	return []effect{foresee{u.n, a.epoch, s.view(u, a.to, prefix)}}
}

// promised is what a final of u's window has to begin with.
func (s *state) promised(u *utterance) engine.Prefix {
	if s.cfg.Final == stream.FinalBest {
		return nil
	}
	return u.live.Prefix()
}

// foreseen takes an early final decode that came back.
func (s *state) foreseen(in foreseen) []effect {
	u := s.owing(in.utt)
	if u == nil || u.ahead == nil || u.ahead.epoch != in.epoch {
		return nil
	}
	a := u.ahead
	u.ahead = nil
	a.t = in.t
	a.t.Words = shift(in.t.Words, media(a.from))
	switch {
	case u != s.hearing:
		return s.caught(u, a, in.err)
	case in.err != nil:
		u.window.retry = u.end() + samplesIn(cutRetry)
		return s.count(a, failure(in.err))
	case a.piece:
		if !s.holds(u, a) {
			return nil
		}
		out := s.cut(u, a.t.Words, a.to)
		if u.pause.on {
			out = append(out, s.rest(u)...)
		}
		return out
	}
	u.draft = a
	a.text = engine.Text(s.whole(u, a.t).Words)
	a.sound = endpoint.Of(a.text, a.t.Language)
	s.punctuates = s.punctuates || a.sound == endpoint.Complete
	return append(s.learn(u, a), s.weigh(u)...)
}

// caught takes an early final that came back after the end of its utterance.
func (s *state) caught(u *utterance, a *attempt, err error) []effect {
	var out []effect
	if err != nil {
		out = s.count(a, failure(err))
	} else {
		u.draft = a
		out = s.count(a, outcomeLate)
	}
	if s.pending[0] != u {
		return out
	}
	out = append(out, s.finalise()...)
	return append(append(out, s.reflow()...), s.settle()...)
}

func failure(err error) string {
	if errors.Is(err, engine.ErrBusy) || errors.Is(err, engine.ErrPreempted) {
		return "refused"
	}
	return "failed"
}

// count says once what became of an early final; pieces are none.
func (s *state) count(a *attempt, outcome string) []effect {
	if a.piece || a.done {
		return nil
	}
	a.done = true
	return []effect{tally{outcome}}
}

// learn shows what an early final heard as a partial.
func (s *state) learn(u *utterance, a *attempt) []effect {
	if s.cfg.Partials == stream.PartialsOff || media(a.to) <= u.live.Heard() {
		return nil
	}
	stable, tail := u.live.Draft(engine.Hypothesis{Words: a.t.Words, Language: a.t.Language}, media(a.to))
	return s.tell(u, stable, tail, media(a.to))
}

// weigh decides, once it is known what was said before a pause, how much silence
// ends the turn, and whether it is time to say that it is probably over.
func (s *state) weigh(u *utterance) []effect {
	p, d := &u.pause, u.draft
	if !p.on || !s.turns() || d == nil || d.pause != p.n || !s.holds(u, d) || d.text == "" {
		return nil
	}
	var out []effect
	if ms := s.patience(p, d.sound); ms != p.held {
		p.held = ms
		out = append(out, hold{u.n, p.n, ms})
	}
	silence := media(u.end()) - p.at
	probability, known := s.probability(p, d.sound)
	if s.cfg.Turn.Eager > 0 && known && !p.eager && silence >= turnPause && probability >= s.cfg.Turn.Eager {
		p.eager = true
		out = append(out, emit{stream.TurnEager{Utterance: u.n, Text: d.text, Probability: probability, At: p.at}})
	}
	return out
}

// probability that the turn is over; not known while the model thinks.
func (s *state) probability(p *pause, sound endpoint.Sound) (float64, bool) {
	switch {
	case p.verdict != nil:
		return *p.verdict, true
	case s.judges && !p.silent:
		return 0, false
	}
	return sound.Probability(), true
}

// patience is the silence in ms that ends a turn which sounds so, 0 where it is
// what was configured.
func (s *state) patience(p *pause, sound endpoint.Sound) int {
	more := s.cfg.Turn.Patience
	switch {
	case p.verdict != nil && *p.verdict >= surelyOver:
		if over := int(turnPause.Milliseconds()); over < s.cfg.VAD.SilenceMS {
			return over
		}
		return 0
	case p.verdict != nil && *p.verdict < surelyNot, sound == endpoint.Unfinished:
	case sound == endpoint.Open && s.punctuates:
		more /= 2
	default:
		more = 0
	}
	if more <= 0 {
		return 0
	}
	return min(s.cfg.VAD.SilenceMS+int(more.Milliseconds()), int(mostSilence.Milliseconds()))
}

// judged takes the turn model's opinion of a pause.
func (s *state) judged(in judged) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt || !u.pause.on || u.pause.judging != in.epoch {
		return nil
	}
	if in.err != nil {
		u.pause.silent = true
	} else {
		u.pause.verdict = &in.p
	}
	return s.weigh(u)
}

// resumed takes the end of a pause: the speaker goes on.
func (s *state) resumed(in resumed) []effect {
	u := s.hearing
	if u == nil || u.n != in.utt || !u.pause.on {
		return nil
	}
	p := &u.pause
	p.on = false
	lasted := in.at - p.at
	u.silent += lasted
	if lasted >= cutPause {
		u.window.cuts = append(u.window.cuts, p.to)
	}
	var out []effect
	if p.judging != 0 && p.verdict == nil && !p.silent {
		out = append(out, abandon{u.n, p.judging})
	}
	if u.draft != nil {
		out = append(out, s.count(u.draft, "cancelled")...)
	}
	if a := u.ahead; a != nil && !a.piece {
		out = append(out, s.count(a, "cancelled")...)
		if lasted >= cutPause && length(a.to-a.from) >= longWindow && a.to <= s.certain(u) {
			a.piece = true // what it finds can be cut off
		} else {
			out = append(out, s.desist(u)...)
		}
	}
	if p.eager {
		out = append(out, emit{stream.TurnResumed{Utterance: u.n, At: in.at}})
	}
	return out
}

// desist cancels the early final of u, if one runs.
func (s *state) desist(u *utterance) []effect {
	a := u.ahead
	if a == nil {
		return nil
	}
	u.ahead = nil
	return append(s.count(a, "cancelled"), abandon{u.n, a.epoch})
}

// foregone settles at the end of an utterance, whose speech ended at a time, what
// was decoded early: it is the final if it heard all that was said.
func (s *state) foregone(u *utterance, at time.Duration) []effect {
	var out []effect
	if p := &u.pause; p.on && p.judging != 0 && p.verdict == nil && !p.silent {
		out = append(out, abandon{u.n, p.judging})
	}
	fits := func(a *attempt) bool { return !a.piece && a.at == at && s.holds(u, a) }
	if d := u.draft; d != nil && fits(d) {
		out = append(out, s.count(d, outcomeHit)...)
	} else if d != nil {
		out = append(out, s.count(d, "cancelled")...)
		u.draft = nil
	}
	if u.ahead != nil && (u.draft != nil || !fits(u.ahead)) {
		out = append(out, s.desist(u)...)
	}
	return out
}
