package flite

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxPiece is the longest text, in bytes, given to the library in one go. What
// happens before the first audio grows with it and cannot be cancelled.
const maxPiece = 300

// plain is text the library can say: printable ASCII. source[i] is the rune of
// the original text that byte i comes from.
type plain struct {
	text   string
	source []int
}

// punctuation maps signs outside ASCII to what the library understands.
var punctuation = map[rune]string{
	'‘': "'", '’': "'", 'ʼ': "'", '“': `"`, '”': `"`, '„': `"`, '«': `"`, '»': `"`,
	'–': "-", '‐': "-", '‑': "-", '−': "-", '—': ", ", '…': "...", '·': " ",
	'。': ".", '！': "!", '？': "?", '，': ",", '、': ",", '；': ";", '：': ":",
	'ß': "ss", 'æ': "ae", 'Æ': "AE", 'ø': "o", 'Ø': "O", 'œ': "oe", 'Œ': "OE",
	'đ': "d", 'Đ': "D", 'ł': "l", 'Ł': "L", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th", 'ı': "i",
}

// simplify keeps what an American English voice can say: accents are taken off
// letters, blanks of every kind become one kind, and all that is left outside
// printable ASCII is dropped, as are the bytes of invalid UTF-8.
func simplify(s string) plain {
	var b strings.Builder
	var source []int
	n := 0
	for i, r := range s {
		for _, c := range ascii(r, s[i:]) {
			b.WriteByte(byte(c))
			source = append(source, n)
		}
		n++
	}
	return plain{b.String(), source}
}

func ascii(r rune, rest string) string {
	switch {
	case r >= ' ' && r <= '~':
		return string(r)
	case unicode.IsSpace(r):
		return " "
	case r < utf8.RuneSelf || r == utf8.RuneError:
		return ""
	}
	if p, ok := punctuation[r]; ok {
		return p
	}
	_, size := utf8.DecodeRuneInString(rest)
	return strings.Map(func(c rune) rune {
		if c >= ' ' && c <= '~' {
			return c
		}
		return -1
	}, norm.NFKD.String(rest[:size]))
}

// pieces cuts p where a sentence ends, else at a blank, else anywhere, so that
// each is at most maxPiece bytes. Pieces without a letter or digit are left out.
func (p plain) pieces() []plain {
	var out []plain
	for start := 0; start < len(p.text); {
		end := start + cut(p.text[start:])
		if strings.ContainsFunc(p.text[start:end], speakable) {
			out = append(out, plain{p.text[start:end], p.source[start:end]})
		}
		start = end
	}
	return out
}

func speakable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func cut(s string) int {
	if len(s) <= maxPiece {
		return len(s)
	}
	blank := 0
	for i := maxPiece; i > maxPiece/4; i-- {
		if s[i] != ' ' {
			continue
		}
		if strings.IndexByte(".!?;:,", s[i-1]) >= 0 {
			return i
		}
		blank = max(blank, i)
	}
	if blank > 0 {
		return blank
	}
	return maxPiece
}
