// Package endpoint reads from the words of somebody who fell silent whether they
// have said all they wanted to. It is a guess without a model: punctuation where
// the recogniser writes it, and in English the words nobody ends with.
package endpoint

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sound is how words sound at the end.
type Sound uint8

// The sounds.
const (
	Open       Sound = iota // nothing tells
	Complete                // a sentence ends
	Unfinished              // more has to follow
)

// Probability that the turn is over after words that sound so. The figures are
// rough: they only order the sounds and keep clear of sureness.
func (s Sound) Probability() float64 {
	return [...]float64{0.5, 0.9, 0.1}[min(s, Unfinished)]
}

const (
	terminal = ".?!。？！｡؟۔।॥։።"
	hanging  = ",;:-–—…、，؛،"
	closing  = "\"'”’»)]}』」"
)

// unfinished are English words that hardly ever end a turn: fillers,
// conjunctions, articles and what else wants a noun or a verb after it.
var unfinished = strings.Fields(`uh uhm um umm er erm hmm mm
	and but or nor so because cause if when while although though unless until since whether than
	the a an my your our their its every
	to of with from into for at i'm you're we're they're i'll you'll we'll they'll i've we've let's gonna wanna`)

// Of says how a text sounds at its end; language is ISO 639-1, "" where unknown.
// Nothing sounds like nothing: Open.
func Of(text, language string) Sound {
	text = strings.TrimRight(strings.TrimSpace(text), closing)
	last, _ := utf8.DecodeLastRuneInString(text)
	switch {
	case text == "":
		return Open
	case strings.HasSuffix(text, "..."), strings.ContainsRune(hanging, last):
		return Unfinished
	case language == "en" && slices.Contains(unfinished, lastWord(text)):
		return Unfinished
	case strings.ContainsRune(terminal, last):
		return Complete
	}
	return Open
}

// lastWord is the last word of a text in small letters, without punctuation.
func lastWord(text string) string {
	fields := strings.Fields(text)
	word := strings.ToLower(fields[len(fields)-1])
	return strings.TrimFunc(strings.ReplaceAll(word, "’", "'"), func(r rune) bool { return !unicode.IsLetter(r) })
}
