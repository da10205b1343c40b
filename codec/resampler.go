package codec

import (
	"fmt"
	"slices"
)

// The sample rates in Hz between which a Resampler converts.
const (
	MinRate = 8000
	MaxRate = 48000
)

// resampleBlock bounds the input a Resampler copies at a time.
const resampleBlock = 1024

// Resampler converts a stream of mono samples from one rate to another with a
// polyphase windowed sinc. It keeps its state between calls: however a stream
// is cut, the output is the same. Output is aligned with the input (no delay
// in the numbers); the last 32 samples of the lower rate are held back until
// more input or Flush. Not safe for concurrent use.
type Resampler struct {
	in, out int // Hz
	l, m    int // out/in in lowest terms: output k lies at input k*m/l
	fir     *filter
	hist    []float32 // zeros before the stream, then inputs still needed
	at      int       // where in hist the window of the next output begins
	phase   int       // the next output lies phase/l after the window's centre
	read    int64
	made    int64
}

// NewResampler converts from in to out Hz, each MinRate to MaxRate; others
// give ErrUnsupported.
func NewResampler(in, out int) (*Resampler, error) {
	for _, hz := range []int{in, out} {
		if hz < MinRate || hz > MaxRate {
			return nil, fmt.Errorf("%w: rate %d Hz is outside %d to %d", ErrUnsupported, hz, MinRate, MaxRate)
		}
	}
	g := gcd(in, out)
	r := &Resampler{in: in, out: out, l: out / g, m: in / g}
	if in != out {
		r.fir = filterFor(in, out, r.l, r.m)
		r.hist = make([]float32, 0, r.fir.taps+resampleBlock)
	}
	r.Reset()
	return r, nil
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// In is the input rate in Hz.
func (r *Resampler) In() int { return r.in }

// Out is the output rate in Hz.
func (r *Resampler) Out() int { return r.out }

// Reset forgets the stream, as if the Resampler were new.
func (r *Resampler) Reset() {
	r.at, r.phase, r.read, r.made = 0, 0, 0, 0
	if r.fir != nil {
		r.hist = r.hist[:r.fir.taps/2-1]
		clear(r.hist)
	}
}

// Process appends to dst what src completes.
func (r *Resampler) Process(dst, src []float32) []float32 {
	if r.fir == nil {
		return append(dst, src...)
	}
	r.read += int64(len(src))
	for len(src) > 0 {
		n := min(len(src), resampleBlock)
		r.hist = append(r.hist, src[:n]...)
		src = src[n:]
		dst = r.run(dst, -1)
	}
	return dst
}

// Flush appends the tail, so that a stream of n samples has given n*out/in
// rounded to the nearest, and resets r for another stream.
func (r *Resampler) Flush(dst []float32) []float32 {
	if r.fir == nil {
		return dst
	}
	want := (2*r.read*int64(r.out) + int64(r.in)) / (2 * int64(r.in))
	for r.made < want {
		n := len(r.hist)
		r.hist = append(r.hist, make([]float32, r.fir.taps/2)...)
		clear(r.hist[n:])
		dst = r.run(dst, int(want-r.made))
	}
	r.Reset()
	return dst
}

// run appends every output whose window is full, at most limit of them where
// limit is not negative, then drops the inputs that no window needs again.
func (r *Resampler) run(dst []float32, limit int) []float32 {
	taps := r.fir.taps
	n := 0
	if room := len(r.hist) - r.at - taps; room >= 0 {
		n = (room*r.l + r.l - 1 - r.phase + r.m) / r.m
	}
	if limit >= 0 {
		n = min(n, limit)
	}
	dst = slices.Grow(dst, n)
	for range n {
		dst = append(dst, r.fir.at(r.hist[r.at:r.at+taps], r.phase, r.l))
		r.phase += r.m
		r.at += r.phase / r.l
		r.phase %= r.l
	}
	r.made += int64(n)
	keep := copy(r.hist, r.hist[r.at:])
	r.hist, r.at = r.hist[:keep], 0
	return dst
}
