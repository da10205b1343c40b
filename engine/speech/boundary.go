package speech

import (
	"strings"
	"unicode"
)

type kind int

const (
	none      kind = iota
	undecided      // more text is needed
	weak           // a pause within a sentence
	strong         // the end of a sentence
)

// boundary is a place where speech may be cut: before rune end.
type boundary struct {
	kind      kind
	end       int
	paragraph bool
}

const (
	sentenceMarks = ".!?。！？｡؟۔।॥։።။៕"
	pauseMarks    = ",;:—…，、；：،؛၊፣､"
	closers       = "\"'”’»)]}）］】」』》*_"
)

// boundaryAt judges the boundary whose punctuation begins or continues at i.
// last says that no text follows.
func boundaryAt(buf []rune, i int, last bool) boundary {
	r := buf[i]
	switch {
	case r == '\n':
		return boundary{kind: strong, end: i + 1, paragraph: true}
	case unicode.IsSpace(r):
		return spaceBoundary(buf, i, last)
	case strings.ContainsRune(sentenceMarks, r) || strings.ContainsRune(pauseMarks, r):
		return punctuationBoundary(buf, i, last)
	}
	return boundary{}
}

// spaceBoundary finds pauses at blanks: " - ", and between words of scripts
// that put blanks between clauses only.
func spaceBoundary(buf []rune, i int, last bool) boundary {
	if i == 0 {
		return boundary{}
	}
	before := buf[i-1]
	switch {
	case i > 1 && (before == '-' || before == '–') && unicode.IsSpace(buf[i-2]):
		return boundary{kind: weak, end: i + 1}
	case !clauseSpaced(before):
		return boundary{}
	case i+1 == len(buf):
		return pending(last)
	case clauseSpaced(buf[i+1]):
		return boundary{kind: weak, end: i + 1}
	}
	return boundary{}
}

func clauseSpaced(r rune) bool {
	return unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func pending(last bool) boundary {
	if last {
		return boundary{}
	}
	return boundary{kind: undecided}
}

func punctuationBoundary(buf []rune, i int, last bool) boundary {
	k, e := weak, i
	for e < len(buf) && e-i < maxRun && !unicode.IsSpace(buf[e]) {
		if strings.ContainsRune(sentenceMarks, buf[e]) {
			k = strong
		} else if !strings.ContainsRune(pauseMarks, buf[e]) && !(e > i && strings.ContainsRune(closers, buf[e])) {
			break
		}
		e++
	}
	ellipsis := strings.HasPrefix(string(buf[i:e]), "..") || buf[i] == '…' || (i > 0 && buf[i-1] == '.' && buf[i] == '.')
	if ellipsis {
		k = weak
	}
	wide := buf[i] > '\u2e80' || buf[i] == '—'
	if e == len(buf) {
		if last {
			return boundary{kind: k, end: e}
		}
		return boundary{kind: undecided}
	}
	if wide {
		if i > 0 && unicode.IsDigit(buf[i-1]) && unicode.IsDigit(buf[e]) {
			return boundary{}
		}
		return boundary{kind: k, end: e}
	}
	if !unicode.IsSpace(buf[e]) {
		return boundary{}
	}
	if k == strong {
		return sentenceEnd(buf, i, e, last)
	}
	return boundary{kind: k, end: e + 1}
}

// sentenceEnd judges marks i..e with a blank after them by the words round it.
func sentenceEnd(buf []rune, i, e int, last bool) boundary {
	next, known := nextVisible(buf[e:], last)
	if !known {
		return boundary{kind: undecided}
	}
	fullStop := e == i+1 && buf[i] == '.'
	switch {
	case fullStop && abbreviated(buf, i, next):
		return boundary{}
	case fullStop && unicode.IsLower(next):
		return boundary{}
	case unicode.IsLower(next):
		return boundary{kind: weak, end: e + 1}
	}
	return boundary{kind: strong, end: e + 1}
}

// nextVisible returns the first rune that is not blank, 0 where none follows
// or too many blanks do.
func nextVisible(buf []rune, last bool) (r rune, known bool) {
	for n, r := range buf {
		if n > maxBlanks {
			return 0, true
		}
		if !unicode.IsSpace(r) {
			return r, true
		}
	}
	return 0, last || len(buf) > maxBlanks
}

var (
	// titles stand before a name or number, never at the end of a sentence.
	titles = set(`dr mr mrs ms mx prof st mt ft gen col capt lt sgt maj cmdr rev hon sen rep gov pres supt vs v viz cf
		e.g i.e approx appr ca fig figs vol vols ed eds pp par sect ch nr bzw z.b d.h u.a usw m.e p.ej m mme mlle sr sra sta`)
	// shortened words may also end a sentence: what follows decides.
	shortened = set(`etc inc ltd co corp jr bros dept est univ assn ave blvd rd hwy ph.d m.d b.a m.a b.sc m.sc a.m p.m
		am pm jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
		min max sec hr hrs oz lb lbs no nos art ext tel al ibid`)
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// abbreviated reports whether the full stop at i belongs to a word that goes
// on, given the next visible rune.
func abbreviated(buf []rune, i int, next rune) bool {
	token := tokenBefore(buf, i)
	word := strings.ToLower(string(token))
	switch {
	case len(token) == 0:
		return false
	case titles[word]:
		return true
	case shortened[word]:
		return unicode.IsLower(next) || unicode.IsDigit(next)
	case len(token) == 1 && unicode.IsUpper(token[0]):
		return true // an initial
	case len(token) <= 2 && unicode.IsDigit(token[0]) && unicode.IsDigit(token[len(token)-1]):
		return true // "1. Milk", "am 3. Mai"
	}
	return strings.ContainsRune(word, '.') && len(token) <= 7 && dotted(token)
}

// dotted reports whether token is single letters between full stops: "U.S".
func dotted(token []rune) bool {
	for i, r := range token {
		if (i%2 == 0) != unicode.IsLetter(r) || (i%2 == 1) != (r == '.') {
			return false
		}
	}
	return true
}

// tokenBefore is the word that ends before rune i, without opening marks.
func tokenBefore(buf []rune, i int) []rune {
	from := i
	for from > 0 && i-from < maxRun && !unicode.IsSpace(buf[from-1]) && !strings.ContainsRune("([{\"'“‘«*_,;:-–—", buf[from-1]) {
		from--
	}
	return buf[from:i]
}

// unitBefore reports whether the word before the blank at i wants company.
func unitBefore(buf []rune, i int) bool {
	return i > 0 && buf[i-1] == '.' && abbreviated(buf, i-1, '0')
}
