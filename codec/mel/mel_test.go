package mel

import (
	"math"
	"testing"
)

// TestFilters holds the bank against what librosa.filters.mel(sr=16000,
// n_fft=400) is by its definition: triangles of area 1 whose peaks rise.
func TestFilters(t *testing.T) {
	for _, bands := range []int{80, 128} {
		bank := Filters(bands)
		if len(bank) != bands {
			t.Fatalf("%d bands of %d", len(bank), bands)
		}
		last := 0
		for b, row := range bank {
			peak, sum := 0, 0.0
			for i, w := range row {
				if w < 0 {
					t.Errorf("band %d of %d weighs %g at %d", b, bands, w, i)
				}
				if w > row[peak] {
					peak = i
				}
				sum += w * 40 // Hz of a bin
			}
			// Narrow triangles meet a few bins only, so their area is rough.
			if b > bands/2 && math.Abs(sum-1) > 0.1 {
				t.Errorf("band %d of %d has the area %g", b, bands, sum)
			}
			if peak < last {
				t.Errorf("band %d of %d peaks at bin %d, before %d", b, bands, peak, last)
			}
			last = peak
		}
	}
}

func TestMelScale(t *testing.T) {
	for hz, want := range map[float64]float64{0: 0, 200.0 / 3: 1, 1000: 15, 6400: 42} {
		if got := mel(hz); math.Abs(got-want) > 1e-9 {
			t.Errorf("%g Hz are %g mel, want %g", hz, got, want)
		}
		if got := hertz(want); math.Abs(got-hz) > 1e-9 {
			t.Errorf("%g mel are %g Hz, want %g", want, got, hz)
		}
	}
}
