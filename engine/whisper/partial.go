//go:build cgo

package whisper

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/engine"
)

const (
	longest  = 28 * time.Second // window that one run of the encoder holds
	overdue  = 1200 * time.Millisecond
	released = 3 // words given free where the decoder has nothing to add to the prefix
)

// Partial decodes what was heard so far, quickly: greedily, with an encoder only
// as long as the window needs, and only what follows the prefix: that is forced
// on the decoder, which costs a fraction of saying it again and keeps it from
// changing its mind. Where the decoder then ends although sound goes on, the
// last words of the prefix are given free once.
func (s *Slot) Partial(ctx context.Context, w engine.Window, p engine.Prefix) (engine.Hypothesis, error) {
	q, err := s.ask(ctx, w)
	if err != nil || q.nothing {
		return engine.Hypothesis{Words: slices.Clone(p), Language: w.Language}, err
	}
	defer drain(s.model.config.Log)
	if q.length > longest {
		words, language, err := s.extend(ctx, w, q, p)
		return engine.Hypothesis{Words: words, Language: language}, err
	}
	h := s.model.recall(w)
	defer w.Memo.Put(h)
	g := s.guess(w, q, h)
	words, language, err := s.follow(ctx, g, h, p, q)
	if err == nil && len(p) > 0 && len(words) == len(p) && q.length-p[len(p)-1].End > overdue {
		g.again = true
		words, language, err = s.follow(ctx, g, h, p[:max(0, len(p)-released)], q)
	}
	if err != nil {
		return engine.Hypothesis{}, err
	}
	q.level.spread(words)
	clamp(words, q.length)
	return engine.Hypothesis{Words: words, Language: language, LanguageP: g.likely}, nil
}

func (s *Slot) guess(w engine.Window, q question, h *heard) *guess {
	return &guess{
		pcm:       w.Audio,
		spectrum:  &h.spectrum,
		encoder:   s.model.encoder(q.length, false),
		threads:   max(1, s.model.config.Threads),
		language:  q.language,
		translate: w.Task == engine.Translate,
		before:    last(s.model.weights.tokenize(prompt(w.Prompt)), maxBefore),
		likely:    1,
	}
}

// What the decoder's 448 places are divided into.
const (
	maxBefore = 100
	maxPrefix = 220
	maxNew    = 120
)

// follow decodes what comes after the prefix and returns both.
func (s *Slot) follow(ctx context.Context, g *guess, h *heard, p engine.Prefix, q question) ([]engine.Word, string, error) {
	said, heard := h.tokens(lead(p)), time.Duration(0)
	if len(p) > 0 {
		heard = min(p[len(p)-1].End, q.length)
	}
	if g.prefix = said; len(said) > maxPrefix {
		g.before, g.prefix = nil, last(said, maxPrefix)
	}
	g.most = min(maxTokens(q.length-heard), maxNew)
	tokens, language, err := s.state(g.encoder).guess(ctx, g)
	if err != nil {
		return nil, "", err
	}
	if g.stopped == cut && g.most < maxNew { // nobody says that much in that time
		tokens = nil
	}
	if len(p) > 0 {
		tokens = fromBlank(tokens)
	}
	h.ids = append(said, last(g.ids, len(tokens))...)
	words := append([]engine.Word(nil), p...)
	return append(words, guard(tokens, q.length, q.level, false)...), language, nil
}

// lead is a prefix as the decoder would have said it: with a blank first, in
// scripts that have blanks.
func lead(p engine.Prefix) string {
	text := strings.ReplaceAll(engine.Text(p), "\x00", "")
	if first, _ := utf8.DecodeRuneInString(text); text == "" || unspaced(first) {
		return text
	}
	return " " + text
}

// fromBlank drops what would go on with the last word of the prefix, which is
// promised as it stands.
func fromBlank(tokens []token) []token {
	for i, t := range tokens {
		if t.text != "" && begins(t.text) {
			return tokens[i:]
		}
	}
	return nil
}

func last[T any](s []T, n int) []T { return s[max(0, len(s)-n):] }
