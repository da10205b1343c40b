package random

import "fmt"

// Shape is the dimensions of a model.
type Shape struct {
	Name                    string // of the published model
	Multilingual            bool
	Mels                    int // bands of the spectrogram: 80, or 128 from large-v3 on
	Width, Heads            int // of the encoder and the decoder
	AudioLayers, TextLayers int
}

var shapes = []Shape{
	{"tiny", true, 80, 384, 6, 4, 4},
	{"tiny.en", false, 80, 384, 6, 4, 4},
	{"base", true, 80, 512, 8, 6, 6},
	{"base.en", false, 80, 512, 8, 6, 6},
	{"small", true, 80, 768, 12, 12, 12},
	{"small.en", false, 80, 768, 12, 12, 12},
	{"medium", true, 80, 1024, 16, 24, 24},
	{"medium.en", false, 80, 1024, 16, 24, 24},
	{"large-v3", true, 128, 1280, 20, 32, 32},
	{"large-v3-turbo", true, 128, 1280, 20, 32, 4},
}

// Shapes are those of the published models, from the smallest to the largest.
func Shapes() []Shape { return append([]Shape(nil), shapes...) }

// Validate reports dimensions that whisper.cpp or the sentence cannot live with.
func (s Shape) Validate() error {
	switch {
	case s.Mels != 80 && s.Mels != 128:
		return fmt.Errorf("random: %d bands are neither 80 nor 128", s.Mels)
	case s.Mels == 128 && !s.Multilingual:
		return fmt.Errorf("random: no English model has 128 bands")
	case s.Width < 128 || s.Width > 4096 || s.Heads < 1 || s.Width%s.Heads != 0 || s.Width%2 != 0:
		return fmt.Errorf("random: a width of %d with %d heads", s.Width, s.Heads)
	case s.AudioLayers < 1 || s.AudioLayers > 64 || s.TextLayers < 1 || s.TextLayers > 64:
		return fmt.Errorf("random: %d and %d layers are outside 1 to 64", s.AudioLayers, s.TextLayers)
	}
	return nil
}

// words is how many tokens of text there are. The published tables have one more:
// the end in the English ones, nothing in the others.
const words = 50256

// timestamps is how many tokens name a time: 0 to 30 s in steps of 20 ms.
const timestamps = 1501

// special are the numbers of the tokens that are no text, in the order in which
// they follow the text.
type special struct {
	end, start, english, translate, transcribe, none, zero int
}

// special tokens: the end, the start, the languages (99, or 100 with 128 bands;
// the English models have places for 99 too), two tasks, three marks of other
// uses, no timestamps, and the times.
func (s Shape) special() special {
	end, languages := words, 99
	if s.Multilingual {
		end++
	}
	if s.Mels == 128 {
		languages++
	}
	task := end + 2 + languages
	return special{end: end, start: end + 1, english: end + 2, translate: task, transcribe: task + 1, none: task + 5, zero: task + 6}
}

// vocabulary is the number of all tokens.
func (s Shape) vocabulary() int { return s.special().zero + timestamps }
