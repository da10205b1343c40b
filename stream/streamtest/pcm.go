package streamtest

import (
	"fmt"
	"time"

	"parley/codec"
)

// NewDecoder decodes pcm_s16le mono at its own rate, which must be rate.
func NewDecoder(f codec.Format, rate int) (codec.Decoder, error) {
	if f.Encoding != codec.PCM16 || f.Rate != rate || f.Channels != 1 {
		return nil, fmt.Errorf("%w: streamtest decodes only pcm_s16le mono at %d Hz", codec.ErrUnsupported, rate)
	}
	u, err := codec.NewUnpacker(codec.LayoutS16, 1)
	return &pcmDecoder{u}, err
}

type pcmDecoder struct{ *codec.Unpacker }

func (d *pcmDecoder) Decode(dst []float32, payload []byte) ([]float32, error) {
	return d.Unpack(dst, payload), nil
}

func (d *pcmDecoder) Conceal(dst []float32, n int, _ []byte) ([]float32, error) {
	return append(dst, make([]float32, n)...), nil
}

func (d *pcmDecoder) Flush(dst []float32) ([]float32, error) {
	if d.Pending() > 0 {
		return dst, fmt.Errorf("%w: half a sample", codec.ErrTruncated)
	}
	return dst, nil
}

// NewEncoder makes pcm_s16le packets of 20 ms without resampling.
func NewEncoder(_ codec.Format, srcRate int) (codec.Encoder, error) {
	return &pcmEncoder{rate: srcRate}, nil
}

type pcmEncoder struct {
	rate int
	rest []float32
}

func (e *pcmEncoder) Encode(pcm []float32, emit func(codec.Packet) error) error {
	e.rest = append(e.rest, pcm...)
	for n := codec.Samples(20*time.Millisecond, e.rate); len(e.rest) >= n; e.rest = e.rest[n:] {
		if err := emit(codec.Packet{Payload: codec.AppendPCM16(nil, e.rest[:n]), Duration: 20 * time.Millisecond}); err != nil {
			return err
		}
	}
	return nil
}

func (e *pcmEncoder) Flush(emit func(codec.Packet) error) error {
	if len(e.rest) == 0 {
		return nil
	}
	rest := e.rest
	e.rest = nil
	return emit(codec.Packet{Payload: codec.AppendPCM16(nil, rest), Duration: codec.Duration(len(rest), e.rate)})
}
