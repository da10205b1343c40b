package smartturn

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/codec/codectest"
	"parley/codec/mel"
)

func compute(audio []float32) []float32 {
	dst := make([]float32, bands*frames)
	newFeatures().compute(dst, audio)
	return dst
}

// tones is a sum of sines of given frequency (Hz) and amplitude.
func tones(n int, parts ...[2]float64) []float32 {
	audio := make([]float32, n)
	for i := range audio {
		var sum float64
		for _, p := range parts {
			sum += p[1] * math.Sin(2*math.Pi*p[0]*float64(i)/16000)
		}
		audio[i] = float32(sum)
	}
	return audio
}

// TestFeaturesAgainstNumpy: testdata/features.json was computed with numpy after
// the definition of WhisperFeatureExtractor (its FFT, its filters, its padding):
// the mean of all values, and every 11th band at every 83rd frame from the 13th.
func TestFeaturesAgainstNumpy(t *testing.T) {
	raw, err := os.ReadFile("testdata/features.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Mean    float64
		Samples [][]float64
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	recording := codectest.Speech(t)
	for name, audio := range map[string][]float32{
		"recording":            recording,
		"recording, first 3 s": recording[:48000],
		"two tones of 3 s":     tones(48000, [2]float64{440, 0.5}, [2]float64{3000, 0.1}),
	} {
		got := compute(audio)
		var mean float64
		for _, x := range got {
			mean += float64(x) / float64(len(got))
		}
		if math.Abs(mean-want[name].Mean) > 1e-5 {
			t.Errorf("%s: the mean is %.6f, want %.6f", name, mean, want[name].Mean)
		}
		var samples [][]float64
		for b := 0; b < bands; b += 11 {
			var row []float64
			for f := 13; f < frames; f += 83 {
				row = append(row, float64(got[b*frames+f]))
			}
			samples = append(samples, row)
		}
		if diff := cmp.Diff(want[name].Samples, samples, cmpopts.EquateApprox(0, 2e-4)); diff != "" {
			t.Errorf("%s (-numpy +got):\n%s", name, diff)
		}
	}
}

// TestSilence: nothing is 10 decades down, which is (-10+4)/4 everywhere.
func TestSilence(t *testing.T) {
	for i, x := range compute(make([]float32, 16000)) {
		if x != -1.5 {
			t.Fatalf("value %d of silence is %g", i, x)
		}
	}
}

// peak is the frequency in Hz that a band weighs most.
func peak(band int) float64 {
	row := mel.Filters(bands)[band]
	return 16000 / fftSize * float64(slices.Index(row[:], slices.Max(row[:])))
}

// TestTone: a sine in the middle of a band is loudest there.
func TestTone(t *testing.T) {
	for _, band := range []int{3, 20, 40, 60, 78} {
		hz := peak(band)
		got := compute(tones(Window, [2]float64{hz, 0.3}))
		best := 0
		for b := range bands {
			if got[b*frames+frames/2] > got[best*frames+frames/2] {
				best = b
			}
		}
		if best < band-1 || best > band+1 { // a narrow band may have its bin beside it
			t.Errorf("%.0f Hz are loudest in band %d, want %d", hz, best, band)
		}
	}
}

func TestFeaturesProperties(t *testing.T) {
	speech := codectest.Speech(t)
	short := speech[:30000]
	base := compute(short)
	quiet := make([]float32, len(short))
	for i, x := range short {
		quiet[i] = x / 4
	}
	for name, audio := range map[string][]float32{
		"silence before is what is put there anyway": append(make([]float32, 5000), short...),
		"older audio than the window is not heard":   append(append([]float32{1, -1, 1}, make([]float32, Window-len(short))...), short...),
		"loudness is taken out":                      quiet,
	} {
		for i, x := range compute(audio) {
			if math.Abs(float64(x-base[i])) > 1e-3 {
				t.Errorf("%s: band %d of frame %d is %g, was %g", name, i/frames, i%frames, x, base[i])
				break
			}
		}
	}
	odd := append([]float32{float32(math.NaN()), float32(math.Inf(1)), math.MaxFloat32}, short...)
	for _, features := range [][]float32{base, compute(speech), compute(odd), compute([]float32{1e-30})} {
		low, high := features[0], features[0]
		for _, x := range features {
			low, high = min(low, x), max(high, x)
		}
		if !(high-low <= 2.000001) || !(low >= -1.500001) { // also where one of them is no number
			t.Errorf("features go from %g to %g", low, high)
		}
	}
}
