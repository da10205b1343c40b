//go:build !cgo

package flite

import (
	"context"
	"fmt"

	"parley/engine"
)

// Synth cannot exist in a program built without cgo.
type Synth struct{}

var _ engine.Synthesizer = (*Synth)(nil)

var errNoCgo = fmt.Errorf("flite: this program was built without cgo: %w", engine.ErrUnavailable)

// Open says that the library is not in this program.
func Open(Config) (*Synth, error) { return nil, errNoCgo }

// Speak implements engine.Synthesizer.
func (s *Synth) Speak(context.Context, engine.Phrase, func(engine.Chunk) error) error {
	return errNoCgo
}
