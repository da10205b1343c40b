package whisper

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/engine"
)

// token is one piece of text as the decoder made it.
type token struct {
	text       string // may hold part of a UTF-8 sequence
	p, logp    float32
	start, end time.Duration
}

// spoken says whether the token holds more than punctuation.
func (t token) spoken() bool { return strings.ContainsFunc(t.text, wordRune) }

// words merges tokens to words: a blank or a letter of a script that has no
// blanks begins one, punctuation stays with the word it touches. Times lie
// within length and never go back; text that is no complete UTF-8 is left out.
func words(tokens []token, length time.Duration) []engine.Word {
	var out []engine.Word
	var b builder
	blank := false
	for _, t := range whole(tokens) {
		text := strings.TrimSpace(t.text)
		if text == "" {
			blank = true
			continue
		}
		blank = blank || !strings.HasPrefix(t.text, text)
		if blank || b.joins(text) {
			out = b.flush(out)
			b.blank = blank
		}
		b.add(t, text)
		blank = !strings.HasSuffix(t.text, text)
	}
	out = b.flush(out)
	clamp(out, length)
	lengthen(out)
	return out
}

// brief is shorter than any word takes to say.
const brief = 40 * time.Millisecond

// lengthen gives words that the library left without time their part of the
// next words' time, or at the end of the last ones', by their lengths.
func lengthen(words []engine.Word) {
	for from := 0; from < len(words); from++ {
		if words[from].End-words[from].Start >= brief {
			continue
		}
		to := from + 1
		for ; to < len(words) && words[to-1].End-words[from].Start < time.Duration(to-from)*brief; to++ {
		}
		for from > 0 && words[to-1].End-words[from].Start < time.Duration(to-from)*brief {
			from--
		}
		share(words[from:to])
		from = to - 1
	}
}

// share lays words over the time that all of them have.
func share(words []engine.Word) {
	total, part := 0, 0
	for _, w := range words {
		total += weight(w)
	}
	start, span := words[0].Start, words[len(words)-1].End-words[0].Start
	for i, w := range words {
		words[i].Start = start + span*time.Duration(part)/time.Duration(total)
		part += weight(w)
		words[i].End = start + span*time.Duration(part)/time.Duration(total)
	}
}

// clamp keeps times within a window and from going back.
func clamp(words []engine.Word, length time.Duration) {
	at := time.Duration(0)
	for i, w := range words {
		words[i].Start = min(max(w.Start, at), length)
		words[i].End = min(max(w.End, words[i].Start), length)
		at = words[i].End
	}
}

// whole joins tokens until their text is complete UTF-8 and drops what never is.
func whole(tokens []token) []token {
	var out []token
	var open *token
	for _, t := range tokens {
		if open != nil && t.text != "" && !utf8.RuneStart(t.text[0]) {
			open.text += t.text
			open.end, open.p, open.logp = t.end, min(open.p, t.p), min(open.logp, t.logp)
		} else {
			open = &t
		}
		if utf8.ValidString(open.text) {
			out, open = append(out, *open), nil
		}
	}
	return out
}

// builder gathers the tokens of one word.
type builder struct {
	text       strings.Builder
	p          float32
	n, spoken  int // tokens
	start, end time.Duration
	blank      bool // before the word
	last       rune // letter
}

// joins says whether text begins another word though no blank is before it.
func (b *builder) joins(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return b.n > 0 && wordRune(first) && !unicode.IsMark(first) && (unspaced(first) || unspaced(b.last))
}

func (b *builder) add(t token, text string) {
	if b.n == 0 {
		b.start, b.end = t.start, t.end
	}
	b.text.WriteString(text)
	if b.n++; t.spoken() { // punctuation takes no time and proves nothing
		b.end = max(b.end, t.end)
		b.last, _ = utf8.DecodeLastRuneInString(text)
		b.p += t.p
		b.spoken++
	}
}

func (b *builder) flush(out []engine.Word) []engine.Word {
	if b.n == 0 {
		return out
	}
	out = append(out, engine.Word{
		Text:   b.text.String(),
		Start:  b.start,
		End:    b.end,
		P:      min(max(b.p/float32(max(b.spoken, 1)), 0), 1),
		Joined: !b.blank && len(out) > 0,
	})
	*b = builder{}
	return out
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// unspaced says whether a script writes words without blanks between them.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
