package codec_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"parley/codec"
)

func tone(n int, hz, amplitude, offset float64) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = float32(offset + amplitude*math.Sin(2*math.Pi*hz*float64(i)/codec.SpeechRate))
	}
	return pcm
}

// level is the root mean square, and mean the average, of the second half.
func level(pcm []float32) (rms, mean float64) {
	pcm = pcm[len(pcm)/2:]
	for _, x := range pcm {
		rms += float64(x) * float64(x) / float64(len(pcm))
		mean += float64(x) / float64(len(pcm))
	}
	return math.Sqrt(rms), mean
}

func TestBlocker(t *testing.T) {
	block := func(pcm []float32) []float32 {
		codec.NewBlocker(codec.SpeechRate).Process(pcm)
		return pcm
	}
	for i, x := range block(tone(1000, 0, 0, 0.7)) {
		if x != 0 {
			t.Fatalf("sample %d of a constant is %g", i, x)
		}
	}
	step := append(make([]float32, 10), tone(codec.SpeechRate/10, 0, 0, 1)...)
	if got := block(step)[len(step)-1]; math.Abs(float64(got)) > 0.003 {
		t.Errorf("%g is left of an offset after 0.1 s", got)
	}
	for hz, want := range map[float64]float64{10: 0.5, 80: 1 / (1 + 1./64), 300: 1, 4000: 1} {
		in, _ := level(tone(4*codec.SpeechRate, hz, 0.3, 0))
		out, mean := level(block(tone(4*codec.SpeechRate, hz, 0.3, 0.4)))
		if power := out * out / in / in; math.Abs(power-want) > 0.01 || math.Abs(mean) > 1e-4 {
			t.Errorf("%g Hz: %.3f of the power is left, want %.3f; the mean is %g", hz, power, want, mean)
		}
	}
}

// TestBlockerInPieces: how a stream is cut does not matter.
func TestBlockerInPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	whole := make([]float32, 5000)
	for i := range whole {
		whole[i] = 2*r.Float32() - 1
	}
	pieces := append([]float32(nil), whole...)
	codec.NewBlocker(8000).Process(whole)
	b := codec.NewBlocker(8000)
	for rest := pieces; len(rest) > 0; {
		n := min(len(rest), r.IntN(300))
		b.Process(rest[:n])
		rest = rest[n:]
	}
	for i := range whole {
		if whole[i] != pieces[i] {
			t.Fatalf("sample %d is %g, in pieces %g", i, whole[i], pieces[i])
		}
	}
}
