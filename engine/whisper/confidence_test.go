//go:build cgo

package whisper

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"parley/engine"
)

// TestConfidence: of sentences in noise, words that are wrong are believed less
// than those that are right. The area under the curve is the probability that of
// a right and a wrong word the right one has the higher P.
func TestConfidence(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	r := rand.New(rand.NewPCG(4, 2))
	var right, wrong []float32
	for i, text := range domain {
		clean := speak(t, []string{"slt", "rms"}[i%2], text)
		for _, level := range []float64{0.02, 0.035} { // about 14 and 10 dB below the speech
			audio := slices.Clone(clean)
			for k := range audio {
				audio[k] += float32(level * r.NormFloat64())
			}
			heard := final(t, s, audio, nil).Words
			var said []engine.Word
			for _, w := range strings.Fields(text) {
				said = append(said, engine.Word{Text: w})
			}
			hit := make(map[int]bool)
			for _, j := range matched(said, heard) {
				hit[j] = true
			}
			for j, w := range heard {
				if hit[j] {
					right = append(right, w.P)
				} else {
					wrong = append(wrong, w.P)
				}
			}
		}
	}
	if len(right) < 50 || len(wrong) < 8 {
		t.Fatalf("%d words right, %d wrong: nothing to compare", len(right), len(wrong))
	}
	area := 0.0
	for _, x := range right {
		for _, y := range wrong {
			if x > y {
				area++
			}
		}
	}
	area /= float64(len(right) * len(wrong))
	mean := func(x []float32) (m float32) {
		for _, v := range x {
			m += v / float32(len(x))
		}
		return m
	}
	t.Logf("%d words right, mean P %.2f; %d wrong, mean P %.2f; area under the curve %.3f", len(right), mean(right), len(wrong), mean(wrong), area)
	for _, low := range []float32{0.3, 0.5, 0.7, 0.9} {
		in := func(x []float32) (n int) {
			for _, p := range x {
				if p >= low && p < low+0.2 {
					n++
				}
			}
			return n
		}
		a, b := in(right), in(wrong)
		t.Logf("P from %.1f: %d of %d are right", low, a, a+b)
	}
	if area < 0.75 {
		t.Errorf("P tells nothing: area %.3f", area)
	}
}
