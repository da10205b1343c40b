package codec

import (
	"math"
	"sync"
)

// The prototype low-pass: a sinc of 32 zero crossings a side under a Kaiser
// window of 80 dB. Its edge lies at 0.92 of the lower Nyquist frequency, so the
// pass band is flat up to 0.84 of it and the stop band begins at it.
const (
	zeroCrossings = 32
	cutoff        = 0.92
	kaiserBeta    = 0.1102 * (80 - 8.7)
	exactPhases   = 640 // 11025 to 16000 Hz
	mixedPhases   = 256 // linear mixing errs by less than -90 dB
)

// filter is the prototype cut into phases: row p holds the taps for an output
// that lies p/phases of an input sample after the window's centre.
type filter struct {
	taps   int // a multiple of 8
	phases int
	exact  bool      // every output falls on a row; else between two of them
	rows   []float32 // (phases+1) * taps
}

func (f *filter) row(p int) []float32 {
	return f.rows[p*f.taps : (p+1)*f.taps : (p+1)*f.taps]
}

// at returns the filter's output for the window w and the position phase/l.
func (f *filter) at(w []float32, phase, l int) float32 {
	if f.exact {
		return dot(f.row(phase), w)
	}
	p := phase * f.phases / l
	mix := float32(phase*f.phases%l) / float32(l)
	a, b := dot(f.row(p), w), dot(f.row(p+1), w)
	return a + (b-a)*mix
}

// dot is the inner product over len(a), which is a multiple of 8. The order of
// the additions is fixed, so equal windows give equal samples.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		s0 += a[0]*b[0] + a[4]*b[4]
		s1 += a[1]*b[1] + a[5]*b[5]
		s2 += a[2]*b[2] + a[6]*b[6]
		s3 += a[3]*b[3] + a[7]*b[7]
		a, b = a[8:], b[8:]
	}
	return (s0 + s1) + (s2 + s3)
}

// newFilter designs the filter for the ratio l/m in lowest terms.
func newFilter(l, m int) *filter {
	scale := 1.0 // low-pass at the input's Nyquist, or the output's if lower
	if m > l {
		scale = float64(l) / float64(m)
	}
	width := zeroCrossings / scale
	half := (int(math.Ceil(width)) + 3) &^ 3
	f := &filter{taps: 2 * half, phases: l, exact: l <= exactPhases}
	if !f.exact {
		f.phases = mixedPhases
	}
	f.rows = make([]float32, (f.phases+1)*f.taps)
	for p := range f.phases + 1 {
		f.design(f.row(p), float64(p)/float64(f.phases), cutoff*scale, width)
	}
	return f
}

// design fills one row and brings its sum to one, so that a constant passes
// without ripple.
func (f *filter) design(row []float32, shift, fc, width float64) {
	h := make([]float64, len(row))
	sum := 0.0
	for i := range h {
		t := float64(i-len(h)/2+1) - shift
		h[i] = fc * sinc(fc*t) * kaiser(t/width)
		sum += h[i]
	}
	for i := range h {
		row[i] = float32(h[i] / sum)
	}
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel0(kaiserBeta * math.Sqrt(1-x*x)) // the scale goes out with the sum
}

// bessel0 is the modified Bessel function of the first kind, order zero.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

// filters shares the designs between the usual rates. Other ratios, which a
// peer could choose without end, are designed for one stream and dropped with it.
var filters = struct {
	sync.Mutex
	made map[[2]int]*filter
}{made: map[[2]int]*filter{}}

func usualRate(hz int) bool {
	switch hz {
	case 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000:
		return true
	}
	return false
}

func filterFor(in, out, l, m int) *filter {
	if !usualRate(in) || !usualRate(out) {
		return newFilter(l, m)
	}
	filters.Lock()
	defer filters.Unlock()
	f := filters.made[[2]int{l, m}]
	if f == nil {
		f = newFilter(l, m)
		filters.made[[2]int{l, m}] = f
	}
	return f
}
