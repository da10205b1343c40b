//go:build cgo

package whisper

// #include <stdlib.h>
// #include "mel.h"
import "C"

import (
	"runtime"
	"slices"
	"unsafe"

	"parley/engine/models"
)

// filters weigh frequencies to bands, in C's memory.
type filters struct {
	c       *C.struct_parley_filters
	weights []float32
	spans   []int32
}

func newFilters(rows [][]float32) *filters {
	const edge = models.Bins - 1 // is weighed always: C adds bins in fours
	f := &filters{
		c:       (*C.struct_parley_filters)(C.calloc(1, C.size_t(unsafe.Sizeof(C.struct_parley_filters{})))),
		weights: unsafe.Slice((*float32)(C.calloc(C.size_t(len(rows)*models.Bins), 4)), len(rows)*models.Bins),
		spans:   unsafe.Slice((*int32)(C.calloc(C.size_t(2*len(rows)), 4)), 2*len(rows)),
	}
	for b, row := range rows {
		copy(f.weights[b*models.Bins:], row)
		first, end := edge, 0
		for k, w := range row[:edge] {
			if w != 0 {
				first, end = min(first, k/4*4), k/4*4+4
			}
		}
		f.spans[2*b], f.spans[2*b+1] = int32(first), int32(end)
	}
	*f.c = C.struct_parley_filters{
		bands: C.int(len(rows)), weights: (*C.float)(&f.weights[0]), spans: (*C.int32_t)(&f.spans[0]),
	}
	return f
}

func (f *filters) bands() int { return int(f.c.bands) }

func (f *filters) free() {
	C.free(unsafe.Pointer(f.c.weights))
	C.free(unsafe.Pointer(f.c.spans))
	C.free(unsafe.Pointer(f.c))
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

// extend makes room for all frames of so many samples and says what C needs to
// compute those that are missing. Less audio than before is other audio.
func (s *spectrum) extend(pin *runtime.Pinner, samples int) C.struct_parley_mel {
	if samples < s.samples {
		s.known = 0
	}
	s.frames = room(s.frames, int(C.parley_mel_count(C.int(samples)))*s.filters.bands())
	return C.struct_parley_mel{filters: s.filters.c, frames: floats(pin, s.frames), known: C.int(s.known), loudest: C.float(s.loudest)}
}

func (s *spectrum) keep(m *C.struct_parley_mel, samples int) {
	s.known, s.loudest, s.samples = int(m.known), float32(m.loudest), samples
}

// scaled is the window of so many frames that an encoder takes, band by band.
func (s *spectrum) scaled(pcm []float32, length int) []float32 {
	var pin runtime.Pinner
	defer pin.Unpin()
	m := s.extend(&pin, len(pcm))
	out := make([]float32, s.filters.bands()*length)
	C.parley_mel_window(&m, (*C.float)(&pcm[0]), C.int(len(pcm)), (*C.float)(&out[0]), C.int(length))
	s.keep(&m, len(pcm))
	return out
}

// room is a slice of length n that begins with what s holds.
func room(s []float32, n int) []float32 {
	if n > cap(s) {
		s = slices.Grow(s[:len(s):len(s)], n-len(s))
	}
	return s[:n]
}
