package codec

import "math"

// blockedHz is where a Blocker takes half the power: below all speech, and far
// enough from 0 for an offset to be gone within a tenth of a second.
const blockedHz = 10

// Blocker takes a constant out of one stream of samples, as cheap microphones and
// converters add it: it stands in the lowest band of a spectrogram, louder than
// the speech. It is a first-order high-pass. The zero value is not usable.
type Blocker struct {
	pole    float64
	in, out float64
	begun   bool
}

// NewBlocker makes a Blocker for a sample rate in Hz.
func NewBlocker(rate int) *Blocker {
	return &Blocker{pole: math.Exp(-2 * math.Pi * blockedHz / float64(rate))}
}

// Process changes the next samples, finite ones, in place. The first one of the
// stream counts as the constant.
func (b *Blocker) Process(pcm []float32) {
	if len(pcm) == 0 {
		return
	}
	if !b.begun {
		b.in, b.begun = float64(pcm[0]), true
	}
	in, out := b.in, b.out
	for i, x := range pcm {
		out = float64(x) - in + b.pole*out
		in = float64(x)
		pcm[i] = float32(out)
	}
	if math.Abs(out) < 1e-15 { // denormal numbers are slow
		out = 0
	}
	b.in, b.out = in, out
}
