package espeak

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"parley/engine"
)

const (
	prefix   = "espeak/"
	attempts = 2
	chunk    = Rate / 25 // samples: 40 ms
	normal   = 175       // words a minute at speed 1
)

// Synth speaks by running espeak-ng. It holds nothing to close: no process
// outlives the Speak that started it.
type Synth struct {
	config  Config
	program program
	voices  []engine.Voice
	slots   chan struct{}
}

var _ engine.Synthesizer = (*Synth)(nil)

// Open looks for the program and asks it for its voices. Where there is none it
// answers engine.ErrUnavailable and names what to install.
func Open(ctx context.Context, c Config) (*Synth, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	path, err := exec.LookPath(c.Program)
	if err != nil {
		return nil, fmt.Errorf("espeak: program %s not found, install the package espeak-ng: %w", c.Program, engine.ErrUnavailable)
	}
	p := program{path, c.Data, c.Timeout}
	list, err := p.voices(ctx)
	if err != nil {
		return nil, fmt.Errorf("espeak: %s --voices: %w: %w", c.Program, engine.ErrUnavailable, err)
	}
	voices := parseVoices(list)
	if len(voices) == 0 {
		return nil, fmt.Errorf("espeak: %s has no voices, install the package espeak-ng-data: %w", c.Program, engine.ErrUnavailable)
	}
	return &Synth{c, p, voices, make(chan struct{}, c.Processes)}, nil
}

// Voices implements engine.Synthesizer.
func (s *Synth) Voices() []engine.Voice { return slices.Clone(s.voices) }

// Speak implements engine.Synthesizer. Each piece of up to 300 characters is
// made whole (a sentence takes some 10 to 40 ms), then handed over in chunks of
// 40 ms; a receiver that is slow keeps no process waiting. Speed is kept within
// what the program can do, 80 to 450 words a minute. Times of marks are
// estimates. A crash is retried once, then ErrCrashed; speech longer than
// Config.MaxDuration ends there with ErrTooLong.
func (s *Synth) Speak(ctx context.Context, p engine.Phrase, emit func(engine.Chunk) error) error {
	if !slices.ContainsFunc(s.voices, func(v engine.Voice) bool { return v.ID == p.Voice }) {
		return fmt.Errorf("espeak: %w %q", engine.ErrUnknownVoice, p.Voice)
	}
	if !(p.Speed >= 0.25 && p.Speed <= 4) {
		return fmt.Errorf("espeak: speed %v is not within 0.25 to 4", p.Speed)
	}
	limit := int(s.config.MaxDuration.Seconds() * Rate)
	said := 0
	for _, piece := range clean(p.Text).pieces() {
		samples, err := s.render(ctx, p, piece, limit-said)
		tooLong := errors.Is(err, errCut)
		if err != nil && !tooLong {
			return err
		}
		if err := deliver(ctx, samples, piece.marks(samples), said, emit); err != nil {
			return err
		}
		if tooLong {
			return fmt.Errorf("espeak: %w: %v", ErrTooLong, s.config.MaxDuration)
		}
		said += len(samples)
	}
	return context.Cause(ctx)
}

// render runs the program, again where it crashes or hangs.
func (s *Synth) render(ctx context.Context, p engine.Phrase, piece piece, limit int) ([]int16, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	voice := strings.TrimPrefix(p.Voice, prefix)
	rate := min(max(int(p.Speed*normal), 80), 450)
	var err error
	for range attempts {
		var samples []int16
		samples, err = s.program.speech(ctx, voice, rate, string(piece.text), limit)
		if err == nil || errors.Is(err, errCut) {
			return samples, err
		}
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		s.config.Log.Warn().Err(err).Str("voice", voice).Int("runes", len(piece.text)).Msg("espeak-ng crashed")
	}
	return nil, fmt.Errorf("%w %d times with voice %s: %w", ErrCrashed, attempts, voice, err)
}

// deliver emits samples in chunks, each with the marks that begin in it. start
// is the number of samples of the phrase before these.
func deliver(ctx context.Context, samples []int16, marks []engine.Mark, start int, emit func(engine.Chunk) error) error {
	for from := 0; from < len(samples); from += chunk {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		part := samples[from:min(from+chunk, len(samples))]
		c := engine.Chunk{PCM: make([]float32, len(part)), Rate: Rate}
		for i, v := range part {
			c.PCM[i] = float32(v) / (1 << 15)
		}
		end := time.Duration(from+len(part)) * time.Second / Rate
		for len(marks) > 0 && marks[0].At < end {
			m := marks[0]
			m.At += time.Duration(start) * time.Second / Rate
			c.Marks, marks = append(c.Marks, m), marks[1:]
		}
		if err := emit(c); err != nil {
			return err
		}
	}
	return nil
}
