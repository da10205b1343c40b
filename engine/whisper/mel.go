//go:build cgo

package whisper

import (
	"slices"

	"parley/engine/models"
)

// filters weigh frequencies to bands.
type filters struct {
	bands   int
	weights []float32 // bands times models.Bins
	spans   []int32   // of each band where its weights begin and end
}

func newFilters(rows [][]float32) *filters {
	const edge = models.Bins - 1 // is weighed always: C adds bins in fours
	f := &filters{bands: len(rows)}
	for _, row := range rows {
		first, end := edge, 0
		for k, w := range row[:edge] {
			if w != 0 {
				first, end = min(first, k/4*4), k/4*4+4
			}
		}
		f.weights = append(f.weights, row...)
		f.spans = append(f.spans, int32(first), int32(end))
	}
	return f
}

// spectrum is the spectrogram of audio that grows: the logarithms of the
// energies of the bands, frame by frame, before they are scaled to what is
// loudest in a window.
type spectrum struct {
	filters *filters
	frames  []float32
	known   int // frames that more audio does not change
	loudest float32
	samples int // of the audio so far
}

// grow makes room for so many frames of so many samples. Less audio than before
// is other audio.
func (s *spectrum) grow(frames, samples int) {
	if samples < s.samples {
		s.known = 0
	}
	s.frames, s.samples = room(s.frames, frames*s.filters.bands), samples
}

// room is a slice of length n that begins with what s holds.
func room(s []float32, n int) []float32 {
	if n > cap(s) {
		s = slices.Grow(s[:len(s):len(s)], n-len(s))
	}
	return s[:n]
}
