package smartturn

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzFeatures: whatever bits a sample has, features are numbers within 8 decades.
func FuzzFeatures(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0x80, 0x7f, 0, 0, 0xc0, 0x7f})                         // infinity, not a number
	f.Add([]byte{0xff, 0xff, 0x7f, 0x7f, 0xff, 0xff, 0x7f, 0xff, 1, 0, 0, 0}) // the largest, the smallest
	features, dst := newFeatures(), make([]float32, bands*frames)
	f.Fuzz(func(t *testing.T, b []byte) {
		var audio []float32
		for ; len(b) >= 4; b = b[4:] {
			audio = append(audio, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		features.compute(dst, audio)
		low, high := dst[0], dst[0]
		for i, x := range dst {
			if x != x {
				t.Fatalf("value %d of %v is no number", i, audio)
			}
			low, high = min(low, x), max(high, x)
		}
		if high-low > 2.00001 || low < -1.50001 {
			t.Fatalf("features of %v go from %g to %g", audio, low, high)
		}
	})
}
