// Package mel is the filter bank of Whisper's spectrograms: triangles on Slaney's
// mel scale (M. Slaney, Auditory Toolbox, 1998; as in librosa.filters.mel).
package mel

import (
	"math"

	"parley/codec"
)

// Window is how many samples at codec.SpeechRate one spectrum is made of, and
// Bins how many frequencies from 0 to half the rate, both included, it has.
const (
	Window = 400
	Bins   = Window/2 + 1
)

// Filters are the weights of the bins in each band: triangles of equal width on
// the mel scale up to half the rate, each of the same area.
func Filters(bands int) [][Bins]float64 {
	const bin = float64(codec.SpeechRate) / Window // Hz
	top := mel(codec.SpeechRate / 2)
	edge := func(i int) float64 { return hertz(top * float64(i) / float64(bands+1)) }
	bank := make([][Bins]float64, bands)
	for b := range bank {
		low, mid, high := edge(b), edge(b+1), edge(b+2)
		for i := range bank[b] {
			f := bin * float64(i)
			h := min((f-low)/(mid-low), (high-f)/(high-mid))
			bank[b][i] = max(h, 0) * 2 / (high - low)
		}
	}
	return bank
}

// The scale is linear to 1000 Hz, then has 27 steps to each 6.4-fold.
const (
	linear = 200. / 3 // Hz
	bend   = 1000.    // Hz
)

var step = math.Log(6.4) / 27

func mel(hz float64) float64 {
	if hz < bend {
		return hz / linear
	}
	return bend/linear + math.Log(hz/bend)/step
}

func hertz(mel float64) float64 {
	if mel < bend/linear {
		return mel * linear
	}
	return bend * math.Exp(step*(mel-bend/linear))
}
