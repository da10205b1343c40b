package session

import (
	"math"
	"slices"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/stream"
)

// The rules for cutting off the beginning of a window, in media time.
const (
	longWindow   = 12 * time.Second // from which it is cut in a pause
	longerWindow = 20 * time.Second // from which it is cut where it is quietest
	longest      = 28 * time.Second // above which no partial is decoded
	longestPiece = 24 * time.Second
	shortPiece   = 4 * time.Second        // the least that is cut off in a pause
	quietPiece   = 8 * time.Second        // the least that is cut off elsewhere
	freshPause   = time.Second            // left after a cut in a pause
	freshQuiet   = 4 * time.Second        // left after a cut elsewhere
	cutPause     = 200 * time.Millisecond // the least pause that is cut in
	cutRetry     = time.Second            // new audio before a cut is tried again
	uncertain    = 10 * time.Second       // at the end of the longest utterance: it may be cut there
)

// view is the window of u up to a session sample.
func (s *state) view(u *utterance, to int64, prefix engine.Prefix) view {
	from := min(u.window.from, to)
	i, j := from-u.first, to-u.first
	language := s.cfg.Language
	if language == "" {
		language = u.tongue.spoken()
	}
	return view{from: from, to: to, prefix: shift(prefix, -media(from)), window: engine.Window{
		Audio: u.audio[i:j:j], Language: language, Task: s.cfg.Task, Prompt: s.cfg.Conditioning(), Memo: u.window.memo}}
}

// certain is the session sample up to which all audio belongs to u: what comes
// later may go to the next utterance where u becomes too long.
func (s *state) certain(u *utterance) int64 {
	most := time.Duration(s.cfg.VAD.MaxUtteranceMS) * time.Millisecond
	return u.first + samplesIn(most-min(uncertain, most/3))
}

// trim cuts off the beginning of a window that has grown long, or begins to: so
// a second of speech costs the same however long the speaker goes on.
func (s *state) trim(u *utterance) []effect {
	grown := length(u.end() - u.window.from)
	if grown <= longWindow || s.flow != flowOK || u.pause.on || u.ahead != nil && grown <= longest || u.end() < u.window.retry {
		return nil
	}
	u.window.retry = u.end() + samplesIn(cutRetry)
	at, ok := s.cutPoint(u)
	if !ok {
		return nil
	}
	if d := u.draft; d != nil && d.to == at && s.holds(u, d) {
		return s.cut(u, d.t.Words, at)
	}
	if grown > longest && u.live.Heard() >= media(at)+freshPause {
		out := s.desist(u)
		u.live.CutBlind(media(at))
		return append(out, s.begin(u, at)...)
	}
	if u.ahead != nil || s.foreseeing() {
		return nil
	}
	return s.foresee(u, &attempt{piece: true, to: at})
}

// cutPoint finds where the window is best cut: in its latest pause, or where
// it is quietest once it cannot wait for one.
func (s *state) cutPoint(u *utterance) (at int64, ok bool) {
	from, end := u.window.from, u.end()
	top := min(s.certain(u), from+samplesIn(longestPiece))
	for _, at := range slices.Backward(u.window.cuts) {
		if at >= from+samplesIn(shortPiece) && at <= min(top, end-samplesIn(freshPause)) {
			return at, true
		}
	}
	lo, hi := from+samplesIn(quietPiece), min(top, end-samplesIn(freshQuiet))
	if length(end-from) <= longerWindow || hi <= lo {
		return 0, false
	}
	return lo + int64(quietest(u.audio[lo-u.first:hi-u.first])), true
}

// quietest is the middle of the 60 ms with the least sound in them, whatever
// their offset; the latest of several equal ones.
func quietest(audio []float32) int {
	const block, width = codec.SpeechRate / 100, 6 // samples, blocks
	sums := make([][2]float64, len(audio)/block)
	for i := range sums {
		for _, x := range audio[i*block : (i+1)*block] {
			sums[i][0] += float64(x)
			sums[i][1] += float64(x) * float64(x)
		}
	}
	least, at := math.Inf(1), len(audio)/2
	for i := 0; i+width <= len(sums); i++ {
		var sum, squares float64
		for _, s := range sums[i : i+width] {
			sum += s[0]
			squares += s[1]
		}
		if power := squares - sum*sum/(width*block); power <= least {
			least, at = power, (i+width/2)*block
		}
	}
	return at
}

// cut takes what a transcript says of the window up to a session sample, where
// the window then begins.
func (s *state) cut(u *utterance, words []engine.Word, at int64) []effect {
	u.live.Cut(words, media(at))
	return s.begin(u, at)
}

// begin lets the window begin at a session sample. A guess at the old one is of
// no more use.
func (s *state) begin(u *utterance, at int64) []effect {
	cuts := slices.DeleteFunc(u.window.cuts, func(c int64) bool { return c <= at })
	u.window = window{from: at, memo: new(engine.Memo), cuts: cuts}
	u.draft = nil
	out := s.stopGuessing(u)
	if s.cfg.Partials == stream.PartialsOff {
		return out
	}
	stable, tail := u.live.Words()
	return append(out, s.tell(u, stable, tail, max(u.shown, u.live.Heard(), media(at)))...)
}
