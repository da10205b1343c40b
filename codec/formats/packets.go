package formats

import (
	"fmt"

	"parley/codec"
	"parley/codec/container"
	"parley/codec/opus"
)

// packetReader is a container that holds Opus packets.
type packetReader interface {
	Push(b []byte, emit func(container.Packet) error) error
	End() error
}

// packetDecoder decodes the Opus packets of a container.
type packetDecoder struct {
	in     packetReader
	opus   *opus.Decoder
	native int // Hz out of opus
	rate   *codec.Resampler
	begun  bool
	budget int       // samples that this call may still give
	dst    []float32 // of the call
	pcm    []float32 // of one packet, at native
}

func newPackets(in packetReader, rate int) (*packetDecoder, error) {
	native := opus.NativeRate(rate)
	dec, err := opus.NewDecoder(native)
	if err != nil {
		return nil, err
	}
	r, err := codec.NewResampler(native, rate)
	if err != nil {
		return nil, err
	}
	return &packetDecoder{in: in, opus: dec, native: native, rate: r}, nil
}

func (d *packetDecoder) Decode(dst []float32, payload []byte) ([]float32, error) {
	d.begun = d.begun || len(payload) > 0
	d.budget = codec.Samples(MaxPerPayload, d.native)
	d.dst = dst
	err := d.in.Push(payload, d.packet)
	dst, d.dst = d.dst, nil
	return dst, err
}

// packet appends what counts of one packet.
func (d *packetDecoder) packet(p container.Packet) error {
	if p.First {
		if err := d.opus.Reset(); err != nil {
			return err
		}
	}
	pcm, err := d.opus.Decode(d.pcm[:0], p.Payload)
	d.pcm = pcm
	if err != nil {
		return err
	}
	from := min(d.samples(p.Skip), len(pcm))
	to := max(len(pcm)-d.samples(p.Trim), from)
	pcm = pcm[from:to]
	if d.budget -= len(pcm); d.budget < 0 {
		return fmt.Errorf("%w: one payload unfolds to more than %v of audio", codec.ErrMalformed, MaxPerPayload)
	}
	if p.Gain != 1 {
		for i, x := range pcm {
			pcm[i] = codec.Clip(x * p.Gain)
		}
	}
	d.dst = d.rate.Process(d.dst, pcm)
	return nil
}

// samples converts a count at the containers' 48 kHz.
func (d *packetDecoder) samples(n int) int { return (n*d.native + 24000) / 48000 }

func (d *packetDecoder) Conceal(dst []float32, _ int, _ []byte) ([]float32, error) {
	return dst, errGap
}

func (d *packetDecoder) Flush(dst []float32) ([]float32, error) {
	if !d.begun {
		return dst, nil
	}
	return d.rate.Flush(dst), d.in.End()
}
