package enginetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode"

	"parley/codec"
	"parley/engine"
)

var _ engine.Synthesizer = (*Synthesizer)(nil)

// Synthesizer speaks sines: PerRune of sound for each character (a blank is
// silent), marks on each word. Set the fields before the first call.
type Synthesizer struct {
	Voice   engine.Voice  // zero: "test/sine", English, 16 kHz
	PerRune time.Duration // zero: 50 ms
	Chunk   time.Duration // length of one chunk; zero: 100 ms
	Latency time.Duration // before the first chunk
	PerStep time.Duration // before each further chunk
	Fail    func(engine.Phrase) error
}

// Voices lists the one voice.
func (s *Synthesizer) Voices() []engine.Voice { return []engine.Voice{s.voice()} }

func (s *Synthesizer) voice() engine.Voice {
	if s.Voice == (engine.Voice{}) {
		return engine.Voice{ID: "test/sine", Name: "Sine", Language: "en", Rate: codec.SpeechRate}
	}
	return s.Voice
}

// Speak emits the sines of the phrase chunk by chunk.
func (s *Synthesizer) Speak(ctx context.Context, p engine.Phrase, emit func(engine.Chunk) error) error {
	v := s.voice()
	if p.Voice != "" && p.Voice != v.ID {
		return fmt.Errorf("enginetest: %w: %q", engine.ErrUnknownVoice, p.Voice)
	}
	if s.Fail != nil {
		if err := s.Fail(p); err != nil {
			return err
		}
	}
	pcm, marks := s.render(p, v.Rate)
	wait := s.Latency
	size := max(1, codec.Samples(orElse(s.Chunk, 100*time.Millisecond), v.Rate))
	for from := 0; from < len(pcm); from += size {
		if err := Sleep(ctx, wait); err != nil {
			return err
		}
		wait = s.PerStep
		c := engine.Chunk{PCM: slices.Clone(pcm[from:min(from+size, len(pcm))]), Rate: v.Rate}
		end := codec.Duration(from+len(c.PCM), v.Rate)
		for len(marks) > 0 && marks[0].At < end {
			c.Marks, marks = append(c.Marks, marks[0]), marks[1:]
		}
		if err := emit(c); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func (s *Synthesizer) render(p engine.Phrase, rate int) (pcm []float32, marks []engine.Mark) {
	per := orElse(s.PerRune, 50*time.Millisecond)
	if p.Speed > 0 {
		per = time.Duration(float64(per) / p.Speed)
	}
	n, word := codec.Samples(per, rate), -1
	text := []rune(p.Text)
	mark := func(end int) {
		if word >= 0 {
			marks = append(marks, engine.Mark{From: word, To: end, At: codec.Duration(word*n, rate)})
			word = -1
		}
	}
	for i, r := range text {
		amplitude := 0.3
		if unicode.IsSpace(r) {
			mark(i)
			amplitude = 0
		} else if word < 0 {
			word = i
		}
		hz := 200 + float64(r%32)*20
		for k := range n {
			pcm = append(pcm, float32(amplitude*math.Sin(2*math.Pi*hz*float64(k)/float64(rate))))
		}
	}
	mark(len(text))
	return pcm, marks
}

func orElse(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}
