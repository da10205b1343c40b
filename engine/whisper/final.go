//go:build cgo

package whisper

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/engine"
)

const (
	maxForced = 180                    // tokens; the library decodes 220 of a window, timestamps included
	unsaid    = 600 * time.Millisecond // sound after a prefix that must be more words
)

// Final decodes a whole utterance with the full encoder and all thresholds. The
// prefix is forced on the decoder, which is then free; its words get the times of
// this decode and the probabilities they had before they were forced, so that a
// promise that was wrong is seen. Where the decoder has nothing to add although
// speech goes on, the last words of the prefix are given free once, and taken
// back if that is the reason.
func (s *Slot) Final(ctx context.Context, w engine.Window, p engine.Prefix) (engine.Transcript, error) {
	q, err := s.ask(ctx, w)
	if err != nil {
		return engine.Transcript{}, err
	}
	if q.nothing {
		return transcript(slices.Clone(p), q, w.Language), nil
	}
	defer drain(s.model.config.Log)
	words, language, err := s.extend(ctx, w, q, p)
	if err == nil && len(p) > 0 && len(words) == len(p) && q.level.after(p[len(p)-1].End) > unsaid {
		freer, _, err := s.extend(ctx, w, q, p[:max(0, len(p)-released)])
		if err != nil {
			return engine.Transcript{}, err
		}
		if goesOn(p, freer) {
			words = retold(p, freer)
		}
	}
	if err != nil {
		return engine.Transcript{}, err
	}
	return transcript(words, q, language), nil
}

func transcript(words []engine.Word, q question, language string) engine.Transcript {
	q.level.spread(words)
	clamp(words, q.length)
	return engine.Transcript{Words: words, Language: language, Confidence: engine.Confidence(words)}
}

// extend decodes a window whose text begins with a prefix.
func (s *Slot) extend(ctx context.Context, w engine.Window, q question, p engine.Prefix) ([]engine.Word, string, error) {
	st, j := s.job(w, q, true)
	j.prefix = s.model.forcible(w, lead(p))
	j.params.SetMaxTokensPerSegment(maxTokens(q.length) + len(j.prefix))
	tokens, forced, language, err := st.decode(ctx, j)
	if err != nil {
		return nil, "", err
	}
	// Forced tokens count as certain and hide from the library that it does not
	// believe the rest.
	if doubt, n := belief(tokens[forced:]); forced > 0 && n > 0 && doubt < -1 {
		j.params.SetTemperature(retryStep)
		again, n, _, err := st.decode(ctx, j)
		if err != nil {
			return nil, "", err
		}
		if b, spoken := belief(again[n:]); spoken > 0 && b > doubt {
			tokens = append(tokens[:forced:forced], again[n:]...)
		}
	}
	words, more := known(p, tokens[:forced]), tokens[forced:]
	if len(p) > 0 {
		more = fromBlank(more)
	}
	return append(words, guard(more, q.length, q.level, true)...), language, nil
}

// job is the decode of a window by the library, and the state to run it on.
func (s *Slot) job(w engine.Window, q question, final bool) (*state, *job) {
	encoder := s.model.encoder(q.length, final)
	return s.state(encoder), &job{
		pcm: padded(q.level.centred(w.Audio)), language: q.language, prompt: prompt(w.Prompt), params: s.params(w, final, encoder, q.length),
	}
}

// forcible gives the tokens of a text that may be forced, not more than a window
// holds: the decoder's own as far as a partial of the same audio said it.
func (m *Model) forcible(w engine.Window, text string) []int32 {
	h := &heard{model: m}
	if kept := w.Memo.Take(); kept != nil {
		defer w.Memo.Put(kept)
		if known, ok := kept.(*heard); ok && known.model == m {
			h = known
		}
	}
	ids := slices.DeleteFunc(h.tokens(text), func(id int32) bool { return m.weights.banned[id] != 0 })
	return ids[:min(len(ids), maxForced)]
}

// known is a prefix with the times and probabilities of the tokens that were
// forced for it. Words that have none keep their own.
func known(p engine.Prefix, tokens []token) []engine.Word {
	out := slices.Clone(p)
	text, at, w := lead(p), 0, 0
	var b builder
	done := func() {
		if b.n > 0 {
			got := b.flush(nil)[0]
			out[w].Start, out[w].End, out[w].P = got.Start, got.End, got.P
		}
		w++
	}
	for _, t := range tokens {
		skip := strings.Index(text[at:], t.text)
		if skip < 0 {
			continue
		}
		from := at + skip + len(t.text) - len(strings.TrimLeft(t.text, " "))
		at += skip + len(t.text)
		for w < len(p) && from >= len(lead(p[:w+1])) {
			done()
		}
		if w < len(p) {
			b.add(t, t.text)
		}
	}
	done()
	return out
}

// goesOn says whether words begin with a prefix and have more.
func goesOn(p engine.Prefix, words []engine.Word) bool {
	if len(words) <= len(p) {
		return false
	}
	for i := range p {
		if plain(p[i:i+1]) != plain(words[i:i+1]) {
			return false
		}
	}
	return true
}

// retold is words with the texts of the prefix that they begin with.
func retold(p engine.Prefix, words []engine.Word) []engine.Word {
	for i, w := range p {
		words[i].Text, words[i].Joined = w.Text, w.Joined
	}
	return words
}
