package parts

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"parley/engine"
	"parley/engine/espeak"
	"parley/engine/flite"
	"parley/engine/speech"
)

// OpenVoices opens every synthesiser of this machine. One that is missing is
// told in the log; none at all is an error. voice is the default: an id, a name
// or a language; "" is flite's.
func OpenVoices(ctx context.Context, voice string, log zerolog.Logger) (*speech.Voices, error) {
	var synths []engine.Synthesizer
	if s, err := flite.Open(flite.Config{}); err != nil {
		log.Warn().Err(err).Msg("no flite voices")
	} else {
		synths = append(synths, s)
	}
	if s, err := espeak.Open(ctx, espeak.Config{Log: log.With().Str("from", "espeak-ng").Logger()}); err != nil {
		log.Info().Err(err).Msg("no espeak-ng voices: install espeak-ng for about 130 languages")
	} else {
		synths = append(synths, s)
	}
	if len(synths) == 0 {
		return nil, fmt.Errorf("no voices: install flite and espeak-ng: %w", engine.ErrUnavailable)
	}
	if voice == "" {
		return speech.NewVoices(flite.Default, synths...), nil
	}
	found, err := speech.NewVoices("", synths...).Find(voice, "")
	if err != nil {
		return nil, fmt.Errorf("--voice (PARLEY_VOICE): %w: see parley voices", err)
	}
	return speech.NewVoices(found.ID, synths...), nil
}
