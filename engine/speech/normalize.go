package speech

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// window is how much text, in bytes, a rule may look at.
const window = 400

// Spoken is text as it is to be read aloud, with the way back to its source.
type Spoken struct {
	Text string
	from []int // for each rune of Text, where its source begins and ends
	to   []int
}

// Source maps runes from..to of Text, which must not be empty, to the runes of
// the text that they stand for.
func (s Spoken) Source(from, to int) (int, int) { return s.from[from], s.to[to-1] }

// Normalize writes text as it is to be read aloud in a language (BCP 47).
//
// In every language markup is taken out, not obeyed: Markdown signs, tags in
// angle brackets, sounds in square brackets such as [laugh], emoji, control
// characters. In English numbers, ordinals, money, percentages, times, dates,
// units, common abbreviations and addresses become words; other languages leave
// these to their engine. The output is at most some 16 times as long as text.
func Normalize(text, lang string) Spoken {
	n := &normalizer{src: []rune(text), offsets: make([]int, 0, len(text)+1), skipAt: -1}
	n.text = string(n.src)
	for i := range n.text {
		n.offsets = append(n.offsets, i)
	}
	n.offsets = append(n.offsets, len(n.text))
	rules := anyLanguage
	if tag, err := language.Parse(lang); err == nil {
		if base, _ := tag.Base(); base.String() == "en" {
			region, _ := tag.Region()
			n.dayFirst = region.String() != "US"
			rules = english
		}
	}
	for n.pos < len(n.src) {
		n.step(rules)
	}
	return Spoken{string(n.out), n.from, n.to}
}

// rules are tried in order at each place; the first that applies wins.
type rules []func(*normalizer) bool

type normalizer struct {
	src      []rune
	text     string // src
	offsets  []int  // of each rune in text, and its length
	pos      int    // next rune
	dayFirst bool

	skipAt, skipTo int // runes to leave out when pos comes there

	out      []rune
	from, to []int
	word     bool // what was said last is a word of its own
}

func (n *normalizer) step(rules rules) {
	if n.pos == n.skipAt {
		n.pos = n.skipTo
		return
	}
	for _, rule := range rules {
		if rule(n) {
			return
		}
	}
	r := n.src[n.pos]
	if n.word && wordRune(r) {
		n.put(' ', n.pos, n.pos+1)
	}
	n.word = false
	n.put(r, n.pos, n.pos+1)
	n.pos++
}

func (n *normalizer) put(r rune, from, to int) {
	n.out, n.from, n.to = append(n.out, r), append(n.from, from), append(n.to, to)
}

// say writes words for the next length runes and passes over these.
func (n *normalizer) say(words string, length int) bool {
	to := n.pos + length
	if words != "" {
		if last := n.last(); wordRune(last) || strings.ContainsRune(".,;:!?)", last) {
			n.put(' ', n.pos, to)
		}
		for _, r := range words {
			n.put(r, n.pos, to)
		}
		n.word = true
	}
	n.pos = to
	return true
}

// drop passes over length runes; what they parted stays parted.
func (n *normalizer) drop(length int) bool {
	if last := n.last(); wordRune(last) || strings.ContainsRune(".,;:!?)", last) {
		n.word = true
	}
	n.pos += length
	return true
}

// last is the rune written last, 0 at the beginning.
func (n *normalizer) last() rune {
	if len(n.out) == 0 {
		return 0
	}
	return n.out[len(n.out)-1]
}

// at is the rune of the source at an offset from the next, 0 outside.
func (n *normalizer) at(offset int) rune {
	if i := n.pos + offset; i >= 0 && i < len(n.src) {
		return n.src[i]
	}
	return 0
}

// rest is the text to come, cut to the window; before is the text passed.
func (n *normalizer) rest() string {
	s := n.text[n.offsets[n.pos]:]
	if len(s) <= window {
		return s
	}
	end := window
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func (n *normalizer) before() string {
	start := max(n.pos-window/4, 0)
	return n.text[n.offsets[start]:n.offsets[n.pos]]
}

// starts reports whether the next rune begins a word.
func (n *normalizer) starts() bool { return !wordRune(n.at(-1)) }

// lineStart reports whether only blanks come before on the line.
func (n *normalizer) lineStart() bool {
	for i := -1; ; i-- {
		switch r := n.at(i); {
		case r == 0 || r == '\n':
			return true
		case r != ' ' && r != '\t' && r != '>':
			return false
		}
	}
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }
