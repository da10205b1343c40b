package speech

import (
	"strings"
	"unicode"
)

// Lengths in runes; an ideograph counts for two.
const (
	minClause  = 12  // a shorter clause or sentence goes with the next
	maxClause  = 200 // a longer one is cut at the best place before
	minCut     = 20  // the earliest such place
	maxBracket = 120 // a longer clause may be cut within brackets
	maxBlanks  = 8   // blanks looked through for the next visible character
	maxRun     = 16  // punctuation characters taken as one
)

// Clause is a piece of a speech to be spoken in one go. It keeps the blanks
// after it, so that the texts of all clauses make the text of the speech.
type Clause struct {
	Text     string
	From, To int // runes of the whole speech's text, half open
}

// Splitter cuts text that arrives in pieces into clauses. The first comes
// early, at the first pause of at least 12 characters; later ones are longer,
// for their melody, and sentences at the latest. It does not cut within
// numbers, abbreviations, addresses, ellipses and short brackets, and never
// lets a clause grow beyond some 200 characters.
//
// Where it cuts does not depend on how the text is cut into pieces: a boundary
// is decided once the next visible character after it (at most 8 blanks on) has
// come. Flush and FlushSoft decide without it. Nothing is lost or said twice;
// invalid UTF-8 counts as one U+FFFD for each byte. The zero value is ready.
type Splitter struct {
	buf   []rune
	from  int // of buf in the speech
	count int // clauses so far
}

// Push appends text and returns the clauses now complete.
func (s *Splitter) Push(text string) []Clause {
	s.buf = append(s.buf, []rune(text)...)
	return s.take(false)
}

// Flush returns all that is left. More text may follow.
func (s *Splitter) Flush() []Clause { return s.take(true) }

// Pending is the text not yet returned.
func (s *Splitter) Pending() string { return string(s.buf) }

// FlushSoft is for a silence of the sender: it returns what can be said now, up
// to the end of a sentence or else to the last blank, and keeps what may be the
// first half of a word, of an abbreviation with its name, or of a bracket.
func (s *Splitter) FlushSoft() []Clause {
	n := 0
	for i, r := range s.buf {
		if unicode.IsSpace(r) && !unitBefore(s.buf, i) {
			n = i + 1
		}
	}
	if sentenceIsWhole(s.buf) {
		n = len(s.buf)
	}
	if open := openBracket(s.buf[:n]); open >= 0 && n-open < maxBracket {
		n = open
	}
	if !strings.ContainsFunc(string(s.buf[:n]), audible) {
		return nil
	}
	return []Clause{s.cut(n)}
}

func (s *Splitter) take(all bool) []Clause {
	var out []Clause
	for len(s.buf) > 0 {
		n := s.next(all)
		if n == 0 {
			break
		}
		out = append(out, s.cut(n))
	}
	s.buf = append([]rune(nil), s.buf...) // let go of what was taken
	return out
}

func (s *Splitter) cut(n int) Clause {
	c := Clause{string(s.buf[:n]), s.from, s.from + n}
	s.buf = s.buf[n:]
	s.from += n
	s.count++
	return c
}

// minWeak is how long a clause must be to end at a comma: the first is wanted
// early, later ones have time to become whole.
func (s *Splitter) minWeak() int {
	return min(minClause+s.count*30, minClause*10)
}

// next returns the length of the next clause, 0 where it is not known yet.
func (s *Splitter) next(all bool) int {
	depth, length, lastPause, lastBlank := 0, 0, 0, 0
	for i, r := range s.buf {
		if length >= maxClause || i >= 2*maxClause {
			return fallback(s.buf[:i+1], lastPause, lastBlank)
		}
		if blank := unicode.IsSpace(r); !blank || length > 0 {
			length += width(r)
			if blank {
				lastBlank = i + 1
			}
		}
		switch {
		case strings.ContainsRune("([{（［【「『", r):
			depth++
		case strings.ContainsRune(")]}）］】」』", r):
			depth = max(depth-1, 0)
		}
		b := boundaryAt(s.buf, i, all)
		if b.kind == undecided {
			return 0
		}
		if b.kind == none || length == 0 {
			continue
		}
		inside := depth > 0 && length < maxBracket
		switch {
		case b.paragraph && !inside && strings.ContainsFunc(string(s.buf[:b.end]), audible):
			return b.end
		case b.kind == strong && !inside && length+b.end-i-1 >= minClause:
			return b.end
		case b.kind == weak && !inside && length+b.end-i-1 >= s.minWeak():
			return b.end
		case length >= minCut:
			lastPause = b.end
		}
	}
	if all {
		return len(s.buf)
	}
	return 0
}

// width is how much of a clause r makes: an ideograph is a syllable.
func width(r rune) int {
	if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
		return 2
	}
	return 1
}

// fallback cuts a clause that has become too long: at its last pause, else at
// its last blank, else anywhere but before a combining mark.
func fallback(buf []rune, pause, blank int) int {
	switch {
	case pause > 0:
		return pause
	case blank > minCut:
		return blank
	}
	n := len(buf) - 1
	for n > len(buf)-maxRun && (unicode.IsMark(buf[n]) || buf[n] == zeroWidthJoiner || buf[n-1] == zeroWidthJoiner) {
		n--
	}
	return n
}

const zeroWidthJoiner = '\u200d'

// sentenceIsWhole reports whether buf ends as a sentence does.
func sentenceIsWhole(buf []rune) bool {
	i := len(buf) - 1
	for i > 0 && strings.ContainsRune(closers, buf[i]) {
		i--
	}
	if i < 1 || !strings.ContainsRune(sentenceMarks, buf[i]) || unicode.IsDigit(buf[i-1]) {
		return false
	}
	return !unitBefore(buf, i+1)
}

func openBracket(buf []rune) int {
	for i := len(buf) - 1; i >= 0; i-- {
		switch buf[i] {
		case ']', ')':
			return -1
		case '[', '(':
			return i
		}
	}
	return -1
}

func audible(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }
