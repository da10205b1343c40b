// Package speech turns text that arrives in pieces into one stream of audio:
// Splitter cuts it into clauses, Normalize writes these as they are read aloud,
// an engine.Synthesizer speaks them, and Speech joins the sound and says which
// characters are heard when. Voices makes one synthesiser of several. Nothing
// here starts a goroutine or looks at a clock.
package speech

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"parley/engine"
)

// Speech is one speech by one voice. It is for one goroutine; once a call has
// failed it must not be used again.
type Speech struct {
	synth    engine.Synthesizer
	voice    string
	language string
	speed    float64
	joiner   joiner
	pause    time.Duration // after the clause before
}

// NewSpeech begins a speech by a voice, given by its ID. Speed is 1 for the
// voice's own, 0.25 to 4. An unknown voice is reported by Say.
func NewSpeech(s engine.Synthesizer, voice string, speed float64) *Speech {
	v := &Speech{synth: s, voice: voice, speed: speed}
	voices := s.Voices()
	if i := slices.IndexFunc(voices, func(v engine.Voice) bool { return v.ID == voice }); i >= 0 {
		v.language = voices[i].Language
	}
	return v
}

// Say speaks the next clause. In the chunks it emits marks are complete words
// of the source: From and To are runes of the whole speech's text, At is from
// the start of its audio. The end of the clause's sound may come with the next
// Say or with End. Errors are those of the synthesiser, of emit and of ctx.
func (s *Speech) Say(ctx context.Context, c Clause, emit func(engine.Chunk) error) error {
	spoken := Normalize(c.Text, s.language)
	pause := s.pause
	s.pause = max(s.pause, pauseAfter(c.Text, s.speed))
	if !strings.ContainsFunc(spoken.Text, audible) {
		return context.Cause(ctx)
	}
	s.joiner.begin(pause)
	m := marker{spoken: spoken, start: c.From, last: c.From}
	phrase := engine.Phrase{Text: spoken.Text, Voice: s.voice, Speed: s.speed}
	err := s.synth.Speak(ctx, phrase, func(chunk engine.Chunk) error {
		chunk.Marks = m.translate(chunk.Marks)
		return s.joiner.push(chunk, emit)
	})
	if err != nil {
		return fmt.Errorf("speak %d characters from %d: %w", c.To-c.From, c.From, err)
	}
	s.pause = pauseAfter(c.Text, s.speed)
	return s.joiner.end(emit)
}

// End emits what is left of the sound.
func (s *Speech) End(emit func(engine.Chunk) error) error { return s.joiner.close(emit) }

// marker maps marks on a phrase to the text of the speech. What was one word
// there and is several as spoken gets one mark.
type marker struct {
	spoken      Spoken
	start, last int // runes of the speech: of the clause, and already marked
}

func (m *marker) translate(marks []engine.Mark) []engine.Mark {
	var out []engine.Mark
	for _, mark := range marks {
		if mark.From < 0 || mark.From >= mark.To || mark.To > len(m.spoken.to) {
			continue
		}
		from, to := m.spoken.Source(mark.From, mark.To)
		mark.From, mark.To = m.start+from, m.start+to
		if mark.From >= m.last {
			out, m.last = append(out, mark), mark.To
		}
	}
	return out
}

// pauseAfter is the silence that the end of a clause asks for.
func pauseAfter(text string, speed float64) time.Duration {
	pause := 0
	end := strings.TrimRightFunc(text, unicode.IsSpace)
	last := []rune(strings.TrimRight(end, closers))
	switch {
	case strings.Contains(text[len(end):], "\n"):
		pause = 400
	case len(last) == 0:
	case strings.ContainsRune(sentenceMarks, last[len(last)-1]):
		pause = 300
	case strings.ContainsRune(",，、،､፣", last[len(last)-1]):
		pause = 150
	case strings.ContainsRune(pauseMarks+"-–", last[len(last)-1]):
		pause = 200
	}
	return time.Duration(float64(pause)/max(speed, 0.25)) * time.Millisecond
}
