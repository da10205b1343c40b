package engine

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// settle is how far from the end of the audio a word must end to be promised:
	// what is younger may still be half heard.
	settle = 500 * time.Millisecond
	// doubtful is the probability below which a word needs one more witness.
	doubtful = 0.4
	// likely is the probability from which a word is worth showing that no other
	// hypothesis has said.
	likely = 0.6
)

// Live is the text of one utterance while it is being spoken. A word becomes
// stable when two hypotheses in a row, made from different lengths of audio,
// agree on it and on all words before it (LocalAgreement-2; Liu et al. 2020,
// Macháček et al. 2023); one the decoder doubts needs three. Stable words are
// never taken back or rewritten.
//
// Decodes look at a window of the audio. Cut moves its beginning on, so that long
// utterances cost no more per second than short ones. All times are on one clock,
// whichever the caller likes; they only have to fit each other.
// The zero value is an utterance with no words yet.
type Live struct {
	done   []Word // promised, of audio before the window
	free   []Word // of the same audio, as its transcripts say it
	stable []Word // promised, in the window
	tail   []Word // of the last hypothesis, after stable
	seen   []int  // for each word of tail, how many hypotheses in a row had it
	draft  bool   // the last hypothesis is what the final would be
	heard  time.Duration
	until  time.Duration // words that end later are not promised; 0: any may be
}

// Until keeps words that end later from being promised: the audio after it may
// turn out to belong to the next utterance.
func (l *Live) Until(t time.Duration) { l.until = t }

// Heard is up to where the last hypothesis has listened.
func (l *Live) Heard() time.Duration { return l.heard }

// Update takes a hypothesis made from the audio of the window up to heard and
// returns Words. A hypothesis from no more audio than the last one is ignored.
func (l *Live) Update(h Hypothesis, heard time.Duration) (stable, tail []Word) {
	return l.update(h, heard, false)
}

// Draft is Update for a hypothesis that is decoded as a final is, of audio that
// ends in silence: all its words are worth saying.
func (l *Live) Draft(h Hypothesis, heard time.Duration) (stable, tail []Word) {
	return l.update(h, heard, true)
}

func (l *Live) update(h Hypothesis, heard time.Duration, draft bool) (stable, tail []Word) {
	if heard > l.heard {
		l.heard, l.draft = heard, draft
		words := whole(h.Words)
		fresh := l.border(words[align(l.stable, words).split:])
		seen := l.witnesses(fresh)
		n := l.agreed(fresh, seen)
		l.stable = appendMonotone(l.stable, fresh[:n], l.end())
		l.tail = after(l.stable, fresh[n:], l.end())
		l.seen = seen[n:]
	}
	return l.Words()
}

// Words are those promised so far and those that may still change, as far as they
// are worth saying; both are the caller's.
func (l *Live) Words() (stable, tail []Word) {
	return slices.Concat(l.done, l.stable), slices.Clone(l.tail[:l.worthSaying()])
}

// worthSaying counts the words of tail up to the first that its decoder is not
// sure of and nothing has confirmed: many such words change, and those after them.
func (l *Live) worthSaying() int {
	if l.draft {
		return len(l.tail)
	}
	for i, w := range l.tail {
		if w.P < likely && l.seen[i] < 2 {
			return i
		}
	}
	return len(l.tail)
}

// witnesses counts for each fresh word how many hypotheses in a row had it, and
// all before it.
func (l *Live) witnesses(fresh []Word) []int {
	seen := make([]int, len(fresh))
	agree := true
	for i := range fresh {
		agree = agree && i < len(l.tail) && same(fresh[i], l.tail[i])
		seen[i] = 1
		if agree {
			seen[i] += l.seen[i]
		}
	}
	return seen
}

// agreed counts the fresh words that may be promised now.
func (l *Live) agreed(fresh []Word, seen []int) int {
	n := 0
	for n < len(fresh)-1 && l.sure(fresh[n], seen[n]) {
		n++
	}
	return n
}

func (l *Live) sure(w Word, seen int) bool {
	need := 2
	if w.P < doubtful {
		need = 3
	}
	return seen >= need && w.End <= l.heard-settle && (l.until == 0 || w.End <= l.until)
}

// Prefix is what the next decode of the window has to begin with, nil for nothing.
func (l *Live) Prefix() Prefix { return slices.Clone(l.stable) }

// Cut begins a new window at a point: words is what a good transcript of the
// window says up to it. They are promised now, after the promised words that they
// stand for. What was promised of the audio after the point stays the beginning
// of the new window.
func (l *Live) Cut(words []Word, at time.Duration) {
	words = l.border(whole(words))
	all := slices.Concat(l.stable, l.tail)
	k := within(all, words, at)
	if k >= len(l.stable) {
		l.done = append(l.done, l.settled(words, at)...)
		k -= len(l.stable)
		l.stable, l.tail, l.seen = nil, l.tail[k:], l.seen[k:]
	} else {
		l.done = append(l.done, clamped(retimed(l.stable[:k], words, align(l.stable[:k], words).pair), l.end(), at)...)
		l.stable = l.stable[k:]
	}
	l.stable = appendMonotone(nil, l.stable, l.end())
	l.tail = after(l.stable, l.tail, l.end())
	l.free = append(l.free, clamped(words, end(l.free), at)...)
}

// CutBlind begins a new window at a point without a transcript: what the last
// hypothesis says up to it is promised as it stands.
func (l *Live) CutBlind(at time.Duration) {
	all := slices.Concat(l.stable, l.tail)
	l.Cut(all[:began(all, at)], at)
}

// settled are the stable words and what words says after them, within the window
// up to a point.
func (l *Live) settled(words []Word, at time.Duration) []Word {
	a := align(l.stable, words)
	return clamped(append(retimed(l.stable, words, a.pair), words[a.split:]...), l.end(), at)
}

// Finish makes the final of the utterance: the stable words, with the times and
// probabilities of t where it has them too, and then what t says after them. t is
// of the window.
func (l *Live) Finish(t Transcript) Transcript {
	words := l.border(whole(t.Words))
	a := align(l.stable, words)
	rest := appendMonotone(nil, retimed(l.stable, words, a.pair), l.end())
	rest = append(rest, after(rest, words[a.split:], l.end())...)
	return finished(t, slices.Concat(l.done, rest))
}

// Free makes the final of what the transcripts say, whatever was promised. Where
// t has no word for what was promised of the window, the promise stands.
func (l *Live) Free(t Transcript) Transcript {
	words := l.border(whole(t.Words))
	if len(words) == 0 {
		words = l.stable
	}
	return finished(t, appendMonotone(slices.Clone(l.free), words, end(l.free)))
}

func finished(t Transcript, words []Word) Transcript {
	t.Words, t.Confidence = words, Confidence(words)
	return t
}

// end is where the words before the window end.
func (l *Live) end() time.Duration { return end(l.done) }

func end(words []Word) time.Duration {
	if len(words) == 0 {
		return 0
	}
	return words[len(words)-1].End
}

// border says how the first word of a window that was cut off is written after
// the words before it: a decoder that does not see them cannot know.
func (l *Live) border(words []Word) []Word {
	if len(l.stable) > 0 || len(l.done) == 0 || len(words) == 0 {
		return words
	}
	words = slices.Clone(words)
	words[0].Joined = unspaced(l.done[len(l.done)-1].Text) && unspaced(words[0].Text)
	return words
}

// whole drops what is no text: the halves of characters.
func whole(words []Word) []Word {
	valid := func(w Word) bool { return utf8.ValidString(w.Text) }
	if !slices.ContainsFunc(words, func(w Word) bool { return !valid(w) }) {
		return words
	}
	var out []Word
	for _, w := range words {
		if w.Text = strings.ToValidUTF8(w.Text, ""); w.Text != "" {
			out = append(out, w)
		}
	}
	return out
}

// retimed are words with the times and probabilities of those they are paired with.
func retimed(words, by []Word, pair []int) []Word {
	words = slices.Clone(words)
	for i, j := range pair {
		if j >= 0 {
			words[i].Start, words[i].End, words[i].P = by[j].Start, by[j].End, by[j].P
		}
	}
	return words
}

// clamped puts words between two points, in order.
func clamped(words []Word, from, to time.Duration) []Word {
	out := appendMonotone(nil, words, from)
	for i := range out {
		out[i].Start, out[i].End = min(out[i].Start, max(to, from)), min(out[i].End, max(to, from))
	}
	return out
}

// after is a copy of words, pushed where needed behind the end of those before.
func after(before, words []Word, from time.Duration) []Word {
	return appendMonotone(slices.Clip(before), words, from)[len(before):]
}

// appendMonotone appends words so that times never go back, nor before from.
func appendMonotone(dst, words []Word, from time.Duration) []Word {
	if len(dst) > 0 {
		from = end(dst)
	}
	for _, w := range words {
		w.Start = max(w.Start, from)
		w.End = max(w.End, w.Start)
		from = w.End
		dst = append(dst, w)
	}
	return dst
}
