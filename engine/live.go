package engine

import (
	"slices"
	"time"
)

// settle is how far from the end of the audio a word must end to be promised:
// what is younger may still be half heard.
const settle = 500 * time.Millisecond

// Live is the text of one utterance while it is being spoken. A word becomes
// stable when two hypotheses in a row, made from different lengths of audio,
// agree on it and on all words before it (LocalAgreement-2; Liu et al. 2020,
// Macháček et al. 2023). Stable words are never taken back or rewritten.
// The zero value is an utterance with no words yet.
type Live struct {
	stable []Word
	tail   []Word // of the last hypothesis, after stable
	heard  time.Duration
}

// Update takes a hypothesis made from the first heard of the utterance and
// returns the words promised so far and those that may still change; both are
// the caller's. A hypothesis from no more audio than the last one is ignored.
func (l *Live) Update(h Hypothesis, heard time.Duration) (stable, tail []Word) {
	if heard > l.heard {
		l.heard = heard
		fresh := h.Words[align(l.stable, h.Words).split:]
		n := l.agreed(fresh)
		l.stable = appendMonotone(l.stable, fresh[:n])
		l.tail = after(l.stable, fresh[n:])
	}
	return slices.Clone(l.stable), slices.Clone(l.tail)
}

// agreed counts the words of fresh that may be promised now.
func (l *Live) agreed(fresh []Word) int {
	n := 0
	for n < len(fresh)-1 && n < len(l.tail) && same(fresh[n], l.tail[n]) && fresh[n].End <= l.heard-settle {
		n++
	}
	return n
}

// Prefix is what the next decode has to begin with.
func (l *Live) Prefix() Prefix { return slices.Clone(l.stable) }

// Finish makes the final of the utterance: the stable words, with the times and
// probabilities of t where it has them too, and then what t says after them.
func (l *Live) Finish(t Transcript) Transcript {
	a := align(l.stable, t.Words)
	words := slices.Clone(l.stable)
	for i, j := range a.pair {
		if j >= 0 {
			words[i].Start, words[i].End, words[i].P = t.Words[j].Start, t.Words[j].End, t.Words[j].P
		}
	}
	words = appendMonotone(nil, words)
	words = append(words, after(words, t.Words[a.split:])...)
	t.Words = words
	t.Confidence = Confidence(words)
	return t
}

// after is a copy of words, pushed where needed behind the end of those before.
func after(before, words []Word) []Word {
	return appendMonotone(slices.Clip(before), words)[len(before):]
}

// appendMonotone appends words so that times never go back.
func appendMonotone(dst, words []Word) []Word {
	var end time.Duration
	if len(dst) > 0 {
		end = dst[len(dst)-1].End
	}
	for _, w := range words {
		w.Start = max(w.Start, end)
		w.End = max(w.End, w.Start)
		end = w.End
		dst = append(dst, w)
	}
	return dst
}
