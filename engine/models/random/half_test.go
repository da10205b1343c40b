package random

import (
	"math"
	"testing"
)

func TestHalf(t *testing.T) {
	for f, want := range map[float32]uint16{
		0: 0, 1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65520: 0x7c00, 1e9: 0x7c00, 6.1035156e-5: 0x0400, 1e-6: 0,
		1 + 1./2048: 0x3c00, 1 + 3./2048: 0x3c02, 0.33325195: 0x3555, -1e-6: 0x8000,
	} {
		if got := half(f); got != want {
			t.Errorf("%g is %#x, want %#x", f, got, want)
		}
	}
}

func TestNoiseIsNormal(t *testing.T) {
	row := make([]float32, 200_000)
	newNoise(1, "x").floats(3, 2, row)
	var sum, squares, fourth float64
	for _, v := range row {
		x := float64(v) / 2
		sum, squares, fourth = sum+x, squares+x*x, fourth+x*x*x*x
	}
	n := float64(len(row))
	if mean, variance, kurtosis := sum/n, squares/n, fourth/n; math.Abs(mean) > 0.01 || math.Abs(variance-1) > 0.01 || math.Abs(kurtosis-3) > 0.1 {
		t.Errorf("mean %g, variance %g, fourth moment %g", mean, variance, kurtosis)
	}
}
