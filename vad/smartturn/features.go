package smartturn

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The features of Whisper: 80 bands of Slaney's mel scale, every 10 ms.
const (
	bands   = 80
	frames  = Window / hop
	hop     = 160
	fftSize = 400
	bins    = fftSize/2 + 1
	binHz   = 16000.0 / fftSize
	topHz   = 8000.0
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
	for b := range f.filters {
		f.filters[b] = newFilter(b)
	}
	return f
}

// newFilter makes the triangle of a band, of the same area for every band.
func newFilter(band int) filter {
	edge := func(i int) float64 { return hertz(mel(topHz) * float64(i) / (bands + 1)) }
	left, centre, right := edge(band), edge(band+1), edge(band+2)
	var f filter
	for i := range bins {
		hz := float64(i) * binHz
		w := min((hz-left)/(centre-left), (right-hz)/(right-centre))
		if w <= 0 {
			continue
		}
		if len(f.weights) == 0 {
			f.first = i
		}
		f.weights = append(f.weights, w*2/(right-left))
	}
	return f
}

// Slaney's mel scale (Auditory Toolbox, 1998): linear to 1000 Hz, then 27 steps
// to each 6.4-fold.
const (
	linearMel = 200.0 / 3
	bendHz    = 1000.0
	bendMel   = bendHz / linearMel
)

var logStep = math.Log(6.4) / 27

func mel(hz float64) float64 {
	if hz < bendHz {
		return hz / linearMel
	}
	return bendMel + math.Log(hz/bendHz)/logStep
}

func hertz(mel float64) float64 {
	if mel < bendMel {
		return mel * linearMel
	}
	return bendHz * math.Exp((mel-bendMel)*logStep)
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
