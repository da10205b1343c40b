package espeak

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPiece is the longest text, in runes, given to one run of the program.
const maxPiece = 300

// piece is text for one run. source[i] is the rune of the phrase that rune i
// comes from.
type piece struct {
	text   []rune
	source []int
}

// clean drops what the program would not read aloud but obey or stumble over:
// control characters, bytes of invalid UTF-8, and doubled brackets, between
// which it expects phonemes.
func clean(s string) piece {
	var p piece
	n := 0
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1, r == '[', r == ']':
			r = ' '
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			r = ' '
		case unicode.IsControl(r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
			r = 0
		}
		if r != 0 {
			p.text, p.source = append(p.text, r), append(p.source, n)
		}
		n++
	}
	return p
}

// pieces cuts p where a sentence or clause ends, else at a blank, else
// anywhere. Pieces with nothing to read are left out.
func (p piece) pieces() []piece {
	var out []piece
	for start := 0; start < len(p.text); {
		end := start + cut(p.text[start:])
		if hasSound(p.text[start:end]) {
			out = append(out, piece{p.text[start:end], p.source[start:end]})
		}
		start = end
	}
	return out
}

func cut(s []rune) int {
	if len(s) <= maxPiece {
		return len(s)
	}
	at, rank := maxPiece, 0
	for i := maxPiece; i > maxPiece/4; i-- {
		r := 0
		switch {
		case strings.ContainsRune("。！？", s[i-1]), s[i] == ' ' && strings.ContainsRune(".!?।۔؟", s[i-1]):
			return i
		case endsClause(s[i-1]) && (s[i] == ' ' || s[i-1] > unicode.MaxLatin1):
			r = 2
		case s[i] == ' ':
			r = 1
		}
		if r > rank {
			at, rank = i, r
		}
	}
	return at
}

// endsClause reports whether the program pauses at r.
func endsClause(r rune) bool {
	return strings.ContainsRune(".,;:!?…—。！？，、；：।۔؟،؛", r)
}

func hasSound(s []rune) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) && !unicode.IsPunct(r) && !unicode.IsMark(r) && !unicode.Is(unicode.Cf, r) {
			return true
		}
	}
	return false
}
