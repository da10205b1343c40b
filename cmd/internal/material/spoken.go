package material

import (
	"context"
	"fmt"
	"math/rand/v2"

	"parley/codec"
	"parley/engine"
)

// Speak makes clips of sentences of the bundled model's domain, spoken by the
// voices in turn. The same seed gives the same sentences.
func Speak(ctx context.Context, s engine.Synthesizer, voices []string, count int, seed uint64) (clips []Clip, err error) {
	random := rand.New(rand.NewPCG(seed, 0x5e7e7ce5))
	for i := range count {
		text, voice := Sentence(random), voices[i%len(voices)]
		pcm, err := spoken(ctx, s, text, voice)
		if err != nil {
			return nil, err
		}
		clip, err := NewClip(fmt.Sprintf("%s %d", voice, i+1), text, pcm)
		if err != nil {
			return nil, fmt.Errorf("%s says %q: %w", voice, text, err)
		}
		clips = append(clips, clip)
	}
	return clips, nil
}

func spoken(ctx context.Context, s engine.Synthesizer, text, voice string) (pcm []float32, err error) {
	var to *codec.Resampler
	err = s.Speak(ctx, engine.Phrase{Text: text, Voice: voice, Speed: 1}, func(c engine.Chunk) error {
		if to == nil {
			if to, err = codec.NewResampler(c.Rate, codec.SpeechRate); err != nil {
				return err
			}
		}
		for rest := c.PCM; len(rest) > 0; {
			n := min(len(rest), to.In()/50)
			pcm = to.Process(pcm, rest[:n])
			rest = rest[n:]
		}
		return nil
	})
	if err != nil || to == nil {
		return nil, err
	}
	return to.Flush(pcm), nil
}
