package random

import "math"

// bins is how many frequencies a spectrum of 400 samples has.
const bins = 201

// filters is the bank of triangular filters Whisper hears through: bands of equal
// width on Slaney's mel scale up to 8 kHz, each of the same area (M. Slaney,
// Auditory Toolbox, 1998; as in librosa.filters.mel).
func filters(bands int) [][bins]float32 {
	const bin = 16000. / 2 / (bins - 1)
	edge := func(i int) float64 { return hertz(mel(8000) * float64(i) / float64(bands+1)) }
	bank := make([][bins]float32, bands)
	for b := range bank {
		low, mid, high := edge(b), edge(b+1), edge(b+2)
		for i := range bank[b] {
			f := bin * float64(i)
			h := min((f-low)/(mid-low), (high-f)/(high-mid))
			bank[b][i] = float32(max(h, 0) * 2 / (high - low))
		}
	}
	return bank
}

// The scale is linear up to 1 kHz and logarithmic above.
const (
	linear = 200. / 3
	knee   = 1000 / linear
)

var step = math.Log(6.4) / 27

func mel(hz float64) float64 {
	if hz < 1000 {
		return hz / linear
	}
	return knee + math.Log(hz/1000)/step
}

func hertz(mel float64) float64 {
	if mel < knee {
		return mel * linear
	}
	return 1000 * math.Exp(step*(mel-knee))
}
