package streamtest

import (
	"strings"
	"time"

	"parley/codec"
	"parley/engine"
)

// Said is speech that carries its own text: to a Detector it is loud, and Hear
// reads the words back from any window of it. Each word is a row of samples that
// spell it over and over; a mark opens the word, another one each further round.
const (
	letterBase = 8000  // a sample is this and a byte
	roundMark  = 11000 // opens a further round of the same word
	wordMark   = 12000 // opens a word
)

// Said speaks a text as pcm_s16le at 16 kHz: each word lasts per, and gap is the
// silence after it. Words are at most 200 bytes long.
func Said(text string, per, gap time.Duration) []byte {
	var out []byte
	for _, word := range strings.Fields(text) {
		spell := append([]int16{roundMark, letterBase + int16(per/(20*time.Millisecond))}, letters(word)...)
		for i := range codec.Samples(per, codec.SpeechRate) {
			x := spell[i%len(spell)]
			if i == 0 {
				x = wordMark
			}
			out = append(out, byte(x), byte(x>>8))
		}
		out = append(out, Hush(gap)...)
	}
	return out
}

func letters(word string) []int16 {
	var out []int16
	for _, b := range []byte(word) {
		out = append(out, letterBase+int16(b))
	}
	return out
}

// Hear reads the words of a window of what Said said. One of which most is
// missing is half understood. It is for enginetest.Slot.
func Hear(w engine.Window) (words []engine.Word) {
	const quiet, mark = letterBase / full, wordMark / full
	for i := 0; i < len(w.Audio); {
		if w.Audio[i] < quiet {
			i++
			continue
		}
		end := i + 1
		for end < len(w.Audio) && w.Audio[end] >= quiet && w.Audio[end] != mark {
			end++
		}
		if text, whole := spelled(w.Audio[i:end]); text != "" {
			if heard := codec.Duration(end-i, codec.SpeechRate); heard < whole*3/5 {
				text = text[:(len(text)+1)/2]
			}
			words = append(words, engine.Word{Text: text, P: 0.9,
				Start: codec.Duration(i, codec.SpeechRate), End: codec.Duration(end, codec.SpeechRate)})
		}
		i = end
	}
	return words
}

const full = 32768.0 // of a sample of pcm_s16le

// spelled reads the first whole round of a word in its audio, and how long the
// word lasts when nothing of it is missing.
func spelled(audio []float32) (text string, whole time.Duration) {
	at := func(i int) int { return int(audio[i] * full) }
	from := 0
	for from < len(audio) && at(from) < roundMark {
		from++
	}
	if from+1 >= len(audio) {
		return "", 0
	}
	whole = time.Duration(at(from+1)-letterBase) * 20 * time.Millisecond
	var b []byte
	for i := from + 2; i < len(audio); i++ {
		if at(i) >= roundMark {
			return string(b), whole
		}
		b = append(b, byte(at(i)-letterBase))
	}
	return "", 0
}
