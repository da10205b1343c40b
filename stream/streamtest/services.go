// Package streamtest helps to test sessions and dialects: services made of
// deterministic fakes, a detector that hears loudness, scripted speech, and the
// contract that every dialect has to keep.
package streamtest

import (
	"fmt"
	"math"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
	"parley/stream/session"
)

// Detector says that a frame is speech if it is loud. It needs no model.
type Detector struct{ Closed bool }

// Probability is 0.95 above an RMS of 0.05, else 0.02.
func (d *Detector) Probability(frame []float32) (float32, error) {
	var sum float64
	for _, x := range frame {
		sum += float64(x) * float64(x)
	}
	if math.Sqrt(sum/float64(len(frame))) > 0.05 {
		return 0.95, nil
	}
	return 0.02, nil
}

// Reset does nothing: the detector remembers nothing.
func (d *Detector) Reset() {}

// Close marks the detector as closed.
func (d *Detector) Close() error {
	d.Closed = true
	return nil
}

// Voices makes an enginetest.Synthesizer findable.
type Voices struct{ *enginetest.Synthesizer }

// Find knows "" and the synthesiser's own voice.
func (v Voices) Find(voice, _ string) (engine.Voice, error) {
	own := v.Voices()[0]
	if voice != "" && voice != own.ID {
		return engine.Voice{}, fmt.Errorf("%w: %q", engine.ErrUnknownVoice, voice)
	}
	return own, nil
}

// Services are fakes round a slot and a synthesiser. Audio is pcm_s16le at
// 16 kHz both ways. Close the pool when the sessions are over.
func Services(slot engine.Slot, synth *enginetest.Synthesizer) (session.Services, *engine.Pool, error) {
	pool, err := engine.NewPool(engine.PoolConfig{Queue: 16}, slot)
	return session.Services{
		Recognizer:  pool,
		Voices:      Voices{synth},
		NewDetector: func() (session.Detector, error) { return &Detector{}, nil },
		NewDecoder:  NewDecoder,
		NewEncoder:  NewEncoder,
		Model:       session.Model{Name: "test", Languages: []string{"en"}},
	}, pool, err
}

// Tone is speech to Detector: a loud sine of d as pcm_s16le at 16 kHz.
func Tone(d time.Duration) []byte {
	n := codec.Samples(d, codec.SpeechRate)
	out := make([]byte, 0, 2*n)
	for i := range n {
		x := int16(12000 * math.Sin(2*math.Pi*220*float64(i)/codec.SpeechRate))
		out = append(out, byte(x), byte(x>>8))
	}
	return out
}

// Hush is silence of d as pcm_s16le at 16 kHz.
func Hush(d time.Duration) []byte { return make([]byte, 2*codec.Samples(d, codec.SpeechRate)) }
