package smartturn

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"

	"parley/codec/mel"
)

// The features of Whisper: 80 bands of Slaney's mel scale, every 10 ms.
const (
	bands   = 80
	frames  = Window / hop
	hop     = 160
	fftSize = mel.Window
	bins    = mel.Bins
	silence = 1e-10 // power below which nothing is told apart
	span    = 8     // decades below the loudest that are told apart
)

// features computes the input of the network. It is not safe for concurrent use.
type features struct {
	fft     *fourier.FFT
	hann    [fftSize]float64
	filters [bands]filter
	padded  []float64 // the window between two mirrored halves of a frame
	frame   []float64
	bins    []complex128
	power   [bins]float64
}

// filter is one triangle over the bins from first on.
type filter struct {
	first   int
	weights []float64
}

func newFeatures() *features {
	f := &features{
		fft:    fourier.NewFFT(fftSize),
		padded: make([]float64, Window+fftSize),
		frame:  make([]float64, fftSize),
		bins:   make([]complex128, bins),
	}
	for i := range f.hann {
		f.hann[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/fftSize)
	}
	for b, row := range mel.Filters(bands) {
		f.filters[b] = newFilter(row[:])
	}
	return f
}

// newFilter keeps the weights of a band that are not 0.
func newFilter(row []float64) (f filter) {
	for i, w := range row {
		if w <= 0 {
			continue
		}
		if len(f.weights) == 0 {
			f.first = i
		}
		f.weights = append(f.weights, w)
	}
	return f
}

// compute writes the features of the end of audio to dst, band after band.
func (f *features) compute(dst []float32, audio []float32) {
	still := f.load(audio)
	loudest := math.Inf(-1)
	for t := range frames {
		if t > 0 && t*hop+fftSize <= still {
			for b := range bands {
				dst[b*frames+t] = dst[b*frames]
			}
			continue
		}
		for i, w := range f.hann {
			f.frame[i] = w * f.padded[t*hop+i]
		}
		f.bins = f.fft.Coefficients(f.bins, f.frame)
		for i, c := range f.bins {
			f.power[i] = real(c)*real(c) + imag(c)*imag(c)
		}
		for b, filter := range f.filters {
			var sum float64
			for i, w := range filter.weights {
				sum += w * f.power[filter.first+i]
			}
			level := math.Log10(max(sum, silence))
			loudest = max(loudest, level)
			dst[b*frames+t] = float32(level)
		}
	}
	for i, level := range dst {
		dst[i] = (max(level, float32(loudest)-span) + 4) / 4
	}
}

// load lays the last Window samples of audio, after zeros where there are fewer,
// with mean 0 and variance 1 between their mirror images. The first still samples
// are all the same.
func (f *features) load(audio []float32) (still int) {
	audio = audio[max(0, len(audio)-Window):]
	window := f.padded[fftSize/2 : fftSize/2+Window]
	clear(window)
	var sum, squares float64
	for i, x := range audio {
		y := float64(x)
		if math.IsNaN(y) || math.IsInf(y, 0) {
			y = 0
		}
		window[Window-len(audio)+i] = y
		sum += y
	}
	mean := sum / Window
	for i := range window {
		window[i] -= mean
		squares += window[i] * window[i]
	}
	scale := 1 / math.Sqrt(squares/Window+1e-7)
	for i := range window {
		window[i] *= scale
	}
	for i := range fftSize / 2 {
		f.padded[fftSize/2-1-i] = window[1+i]
		f.padded[fftSize/2+Window+i] = window[Window-2-i]
	}
	if len(audio) >= Window-fftSize/2 {
		return 0
	}
	return fftSize/2 + Window - len(audio)
}
