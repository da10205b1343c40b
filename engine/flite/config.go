// Package flite is an engine.Synthesizer over the flite library, in process:
// five voices of American English, first audio in milliseconds. It owns the
// only cgo of that library; without cgo Open answers engine.ErrUnavailable.
package flite

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/engine"
)

// ErrTooLong ends speech that would outlast Config.MaxDuration.
var ErrTooLong = errors.New("speech longer than allowed")

// Config of the synthesiser. The zero value is usable.
type Config struct {
	MaxDuration time.Duration // of one phrase's audio; 0 is two minutes
}

// Validate says which field is wrong.
func (c Config) Validate() error {
	if c.MaxDuration < 0 {
		return fmt.Errorf("flite: MaxDuration %v is negative", c.MaxDuration)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.MaxDuration == 0 {
		c.MaxDuration = 2 * time.Minute
	}
	return c
}

// Default is the voice of those who name none.
const Default = "flite/slt"

// catalogue is in the order of the registration functions in flite.c.
var catalogue = []engine.Voice{
	{ID: Default, Name: "SLT, woman", Language: "en-US", Rate: 16000},
	{ID: "flite/rms", Name: "RMS, man", Language: "en-US", Rate: 16000},
	{ID: "flite/awb", Name: "AWB, man with a Scottish accent", Language: "en-US", Rate: 16000},
	{ID: "flite/kal", Name: "KAL, robot at telephone quality", Language: "en-US", Rate: 8000},
	{ID: "flite/kal16", Name: "KAL 16, robot", Language: "en-US", Rate: 16000},
}

// Voices implements engine.Synthesizer. The first is the default.
func (s *Synth) Voices() []engine.Voice { return slices.Clone(catalogue) }

// find checks p and returns the catalogue index of its voice.
func find(p engine.Phrase) (int, error) {
	i := slices.IndexFunc(catalogue, func(v engine.Voice) bool { return v.ID == p.Voice })
	if i < 0 {
		return 0, fmt.Errorf("flite: %w %q", engine.ErrUnknownVoice, p.Voice)
	}
	if !(p.Speed >= 0.25 && p.Speed <= 4) {
		return 0, fmt.Errorf("flite: speed %v is not within 0.25 to 4", p.Speed)
	}
	return i, nil
}
