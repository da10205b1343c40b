// Package formats opens a decoder or an encoder for any codec.Format: it chains
// containers, Opus, raw samples and the resampler, so that callers see samples
// at one rate going in or coming out.
package formats

import (
	"fmt"
	"time"

	"parley/codec"
	"parley/codec/container"
	"parley/codec/opus"
)

// MaxPerPayload is the most audio that one Decode may unfold from a container.
// Opus can hold minutes in a few hundred bytes, so this bounds the memory of a
// call; readers of files should hand on pieces of 64 KiB or less.
const MaxPerPayload = 10 * time.Minute

// NewDecoder opens a decoder of f that gives mono samples at rate Hz. With
// codec.Auto the first bytes decide; content that is not known gives
// codec.ErrUnsupported from Decode, saying what was seen: raw audio is never
// guessed. Rates and channels out of range give codec.ErrUnsupported.
func NewDecoder(f codec.Format, rate int) (codec.Decoder, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if rate < codec.MinRate || rate > codec.MaxRate {
		return nil, fmt.Errorf("%w: output rate %d Hz is outside %d to %d", codec.ErrUnsupported, rate, codec.MinRate, codec.MaxRate)
	}
	switch f.Encoding {
	case codec.Opus:
		return opus.NewDecoder(rate)
	case codec.OggOpus:
		return newPackets(container.NewOgg(), rate)
	case codec.WebMOpus:
		return newPackets(container.NewWebM(), rate)
	case codec.WAV:
		return &wavDecoder{in: container.NewWAV(), rate: rate}, nil
	case codec.Auto:
		return &autoDecoder{rate: rate}, nil
	}
	return newRaw(f, rate)
}

// errGap is what containers say to a gap: after it nothing can be found again.
var errGap = fmt.Errorf("%w: bytes of a container are missing", codec.ErrMalformed)

// rawDecoder reads interleaved samples.
type rawDecoder struct {
	in   *codec.Unpacker
	rate *codec.Resampler
	mono []float32 // samples on their way to the resampler
}

func newRaw(f codec.Format, rate int) (*rawDecoder, error) {
	layout, ok := codec.LayoutOf(f.Encoding)
	if !ok {
		return nil, fmt.Errorf("%w: codec %q", codec.ErrUnsupported, f.Encoding)
	}
	in, err := codec.NewUnpacker(layout, f.Channels)
	if err != nil {
		return nil, err
	}
	r, err := codec.NewResampler(f.Rate, rate)
	if err != nil {
		return nil, err
	}
	return &rawDecoder{in: in, rate: r}, nil
}

func (d *rawDecoder) Decode(dst []float32, payload []byte) ([]float32, error) {
	if d.rate.In() == d.rate.Out() {
		return d.in.Unpack(dst, payload), nil
	}
	d.mono = d.in.Unpack(d.mono[:0], payload)
	return d.rate.Process(dst, d.mono), nil
}

// Conceal puts silence into the gap; half a frame of bytes before it is lost.
func (d *rawDecoder) Conceal(dst []float32, n int, _ []byte) ([]float32, error) {
	if gap := codec.Duration(n, d.rate.Out()); gap > opus.MaxConceal {
		return dst, fmt.Errorf("%w: a gap of %v, at most %v is filled", codec.ErrMalformed, gap, opus.MaxConceal)
	}
	d.in.Reset()
	var silence [1024]float32
	left := (int64(n)*int64(d.rate.In()) + int64(d.rate.Out())/2) / int64(d.rate.Out())
	for left > 0 {
		step := min(left, int64(len(silence)))
		dst = d.rate.Process(dst, silence[:step])
		left -= step
	}
	return dst, nil
}

func (d *rawDecoder) Flush(dst []float32) ([]float32, error) {
	dst = d.rate.Flush(dst)
	if n := d.in.Pending(); n > 0 {
		d.in.Reset()
		return dst, fmt.Errorf("%w: %d bytes of an incomplete frame", codec.ErrTruncated, n)
	}
	return dst, nil
}

// wavDecoder reads WAVE, whose header tells the rate.
type wavDecoder struct {
	in    *container.WAV
	rate  int
	out   *codec.Resampler // nil until the rate is known
	mono  []float32
	begun bool
}

func (d *wavDecoder) Decode(dst []float32, payload []byte) ([]float32, error) {
	d.begun = d.begun || len(payload) > 0
	var err, bad error
	d.mono, bad = d.in.Push(d.mono[:0], payload)
	if d.out == nil && d.in.Rate() > 0 {
		if d.out, err = codec.NewResampler(d.in.Rate(), d.rate); err != nil {
			return dst, err
		}
	}
	if d.out != nil {
		dst = d.out.Process(dst, d.mono)
	}
	return dst, bad
}

func (d *wavDecoder) Conceal(dst []float32, _ int, _ []byte) ([]float32, error) { return dst, errGap }

func (d *wavDecoder) Flush(dst []float32) ([]float32, error) {
	if !d.begun {
		return dst, nil
	}
	if d.out != nil {
		dst = d.out.Flush(dst)
	}
	return dst, d.in.End()
}

// autoDecoder collects bytes until they tell what they are.
type autoDecoder struct {
	rate  int
	first []byte // fewer than container.SniffLen
	is    codec.Decoder
	err   error
}

func (d *autoDecoder) Decode(dst []float32, payload []byte) ([]float32, error) {
	if d.is != nil {
		return d.is.Decode(dst, payload)
	}
	if d.err != nil {
		return dst, d.err
	}
	n := min(container.SniffLen-len(d.first), len(payload))
	d.first = append(d.first, payload[:n]...)
	enc, err := container.Sniff(d.first)
	if err == nil && enc != codec.Auto {
		d.is, err = NewDecoder(codec.Format{Encoding: enc}, d.rate)
	}
	if d.err = err; err != nil || d.is == nil {
		return dst, err
	}
	dst, err = d.is.Decode(dst, d.first)
	d.first = nil
	if err != nil {
		return dst, err
	}
	return d.is.Decode(dst, payload[n:])
}

func (d *autoDecoder) Conceal(dst []float32, _ int, _ []byte) ([]float32, error) { return dst, errGap }

func (d *autoDecoder) Flush(dst []float32) ([]float32, error) {
	switch {
	case d.is != nil:
		return d.is.Flush(dst)
	case d.err != nil:
		return dst, d.err
	case len(d.first) > 0:
		return dst, fmt.Errorf("%w: %d bytes are too few to tell what they are", codec.ErrTruncated, len(d.first))
	}
	return dst, nil
}
