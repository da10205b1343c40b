// Package opus encodes and decodes raw Opus packets (RFC 6716) with libopus.
// Packets are checked before the library sees them; lost ones are concealed,
// with in-band error correction where the packet after the gap carries it.
package opus

import (
	"fmt"
	"slices"
	"time"

	libopus "gopkg.in/hraban/opus.v2"

	"parley/codec"
)

// Bounds of Decoder.Conceal.
const (
	// MaxConceal is the longest gap that is filled.
	MaxConceal = time.Minute
	// maxExtrapolation is how much of a gap libopus may guess; it has faded to
	// silence by then, and plain silence follows.
	maxExtrapolation = 200 * time.Millisecond
)

// PacketDuration is the media time one packet covers, 2.5 to 120 ms. What is
// no Opus packet gives codec.ErrMalformed with the reason.
func PacketDuration(payload []byte) (time.Duration, error) {
	p, err := codec.ParseOpusPacket(payload)
	return p.Duration(), err
}

// NativeRate is the rate in Hz libopus is to run at for samples at rate: the same
// where it can, else the next above.
func NativeRate(rate int) int {
	for _, hz := range []int{8000, 12000, 16000, 24000} {
		if rate <= hz {
			return hz
		}
	}
	return 48000
}

// Decoder turns raw Opus packets, mono or stereo, into mono samples. It
// implements codec.Decoder.
type Decoder struct {
	lib     *libopus.Decoder
	native  int              // Hz inside libopus
	rate    *codec.Resampler // nil where native is what was asked for
	scratch []float32        // samples at native on their way to rate
}

// NewDecoder decodes to rate Hz, codec.MinRate to codec.MaxRate; others give
// codec.ErrUnsupported.
func NewDecoder(rate int) (*Decoder, error) {
	d := &Decoder{native: NativeRate(rate)}
	resampler, err := codec.NewResampler(d.native, rate)
	if err != nil {
		return nil, fmt.Errorf("Opus decoder: %w", err)
	}
	if d.native != rate {
		d.rate = resampler
	}
	if d.lib, err = libopus.NewDecoder(d.native, 1); err != nil {
		return nil, fmt.Errorf("Opus decoder at %d Hz: %w", d.native, err)
	}
	return d, nil
}

// Decode appends the samples of one packet. What is no Opus packet gives
// codec.ErrMalformed, leaves dst as it was and does not disturb the stream.
func (d *Decoder) Decode(dst []float32, payload []byte) ([]float32, error) {
	length, err := PacketDuration(payload)
	if err != nil {
		return dst, err
	}
	return d.deliver(dst, func(buf []float32) ([]float32, error) {
		buf, room := extend(buf, codec.Samples(length, d.native))
		n, err := d.lib.DecodeFloat32(payload, room)
		if err != nil {
			return nil, fmt.Errorf("%w: Opus packet of %d bytes: %w", codec.ErrMalformed, len(payload), err)
		}
		return buf[:len(buf)-len(room)+n], nil
	})
}

// deliver lets fill append samples at the native rate, brings them to the rate
// that was asked for and clips them.
func (d *Decoder) deliver(dst []float32, fill func([]float32) ([]float32, error)) ([]float32, error) {
	buf := dst
	if d.rate != nil {
		buf = d.scratch[:0]
	}
	buf, err := fill(buf)
	if err != nil {
		return dst, err
	}
	out := buf
	if d.rate != nil {
		d.scratch = buf
		out = d.rate.Process(dst, buf)
	}
	clip(out[len(dst):])
	return out, nil
}

func clip(pcm []float32) {
	for i, x := range pcm {
		pcm[i] = codec.Clip(x)
	}
}

// extend grows buf by n zero samples and gives those also as room, whose
// capacity ends with them: the binding writes up to the capacity.
func extend(buf []float32, n int) (grown, room []float32) {
	from := len(buf)
	grown = slices.Grow(buf, n)[:from+n]
	room = grown[from : from+n : from+n]
	clear(room)
	return grown, room
}

// Conceal appends n samples for packets that never came (one more or less
// where a resampler follows libopus). The last frame of the gap is recovered
// from next where that carries error correction; what lies before is
// extrapolated for 200 ms and then silent. A gap longer than MaxConceal or a
// next that is no packet gives codec.ErrMalformed.
func (d *Decoder) Conceal(dst []float32, n int, next []byte) ([]float32, error) {
	if n <= 0 {
		return dst, nil
	}
	want := n
	if d.rate != nil {
		want = int((int64(n)*int64(d.native) + int64(d.rate.Out())/2) / int64(d.rate.Out()))
	}
	if want > codec.Samples(MaxConceal, d.native) {
		return dst, fmt.Errorf("%w: a gap of %v, at most %v is filled", codec.ErrMalformed, codec.Duration(want, d.native), MaxConceal)
	}
	tail := 0
	if len(next) > 0 {
		p, err := codec.ParseOpusPacket(next)
		if err != nil {
			return dst, err
		}
		tail = codec.Samples(p.FrameDuration, d.native)
	}
	return d.deliver(dst, func(buf []float32) ([]float32, error) { return d.fill(buf, want, tail, next) })
}

// fill appends want samples, of which next may recover the last tail.
func (d *Decoder) fill(buf []float32, want, tail int, next []byte) ([]float32, error) {
	end := len(buf) + want
	unit := d.native / 400 // libopus works in steps of 2.5 ms
	if tail > want {
		tail = 0 // the frame in next reaches back before the gap
	}
	lead := (want - tail + unit - 1) / unit * unit
	guess := min(lead, codec.Samples(maxExtrapolation, d.native))
	var room []float32
	for guess > 0 {
		step := min(guess, d.native/50)
		if buf, room = extend(buf, step); d.lib.DecodePLCFloat32(room) != nil {
			clear(room) // nothing was decoded yet to extrapolate from
		}
		guess, lead = guess-step, lead-step
	}
	buf, _ = extend(buf, lead)
	buf = buf[:min(len(buf), end-tail)]
	if tail > 0 {
		buf, room = extend(buf, tail)
		if err := d.lib.DecodeFECFloat32(next, room); err != nil {
			return nil, fmt.Errorf("%w: error correction in an Opus packet of %d bytes: %w", codec.ErrMalformed, len(next), err)
		}
	}
	return buf, nil
}

// Reset forgets the stream, as if the Decoder were new.
func (d *Decoder) Reset() error {
	lib, err := libopus.NewDecoder(d.native, 1)
	if err != nil {
		return fmt.Errorf("Opus decoder at %d Hz: %w", d.native, err)
	}
	d.lib = lib
	if d.rate != nil {
		d.rate.Reset()
	}
	return nil
}

// Flush appends what the resampler held back.
func (d *Decoder) Flush(dst []float32) ([]float32, error) {
	if d.rate != nil {
		n := len(dst)
		dst = d.rate.Flush(dst)
		clip(dst[n:])
	}
	return dst, nil
}
