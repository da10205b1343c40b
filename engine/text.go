package engine

import (
	"strings"
	"unicode"
)

// Text joins words as they are written: a blank between two unless the second
// one says that it is joined.
func Text(words []Word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 && !w.Joined {
			b.WriteByte(' ')
		}
		b.WriteString(w.Text)
	}
	return b.String()
}

// unspaced reports whether a text is of a script that puts no blanks between words.
func unspaced(text string) bool {
	for _, r := range text {
		if unicode.IsLetter(r) {
			return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		}
	}
	return false
}

// Confidence is the mean probability of words, 0 without any.
func Confidence(words []Word) float32 {
	if len(words) == 0 {
		return 0
	}
	var sum float32
	for _, w := range words {
		sum += w.P
	}
	return sum / float32(len(words))
}

// same compares words as a listener would: without case and punctuation.
func same(a, b Word) bool { return key(a.Text) == key(b.Text) }

func key(text string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	if bare == "" {
		return text
	}
	return bare
}
