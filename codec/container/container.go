// Package container reads and writes the files and streams that audio comes
// in: WAVE, Ogg Opus and WebM Opus. Readers take bytes cut anywhere and hold a
// bounded part of them, whatever lengths the stream claims; they unpack, but
// decode nothing: Opus packets go to whoever asked for them.
package container

import (
	"encoding/binary"
	"fmt"
	"math"

	"parley/codec"
)

// Packet is one Opus packet out of a container, and what of its audio counts.
type Packet struct {
	Payload []byte  // valid until the callback returns
	Skip    int     // samples at 48 kHz to drop at its start (pre-skip)
	Trim    int     // samples at 48 kHz to drop at its end
	Gain    float32 // factor for its samples, 1 for none
	First   bool    // begins a stream of its own: decode it with a fresh state
}

// granuleRate is the clock of Opus in containers, whatever the input was.
const granuleRate = 48000

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", codec.ErrMalformed, fmt.Sprintf(format, args...))
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", codec.ErrUnsupported, fmt.Sprintf(format, args...))
}

func truncated(format string, args ...any) error {
	return fmt.Errorf("%w: %s", codec.ErrTruncated, fmt.Sprintf(format, args...))
}

// opusHead is the identification header (RFC 7845 section 5.1), in Ogg a packet
// of its own and in WebM the CodecPrivate.
type opusHead struct {
	channels int
	preSkip  int // samples at 48 kHz
	rate     int // Hz of the original input; informs only
	gain     float32
}

const opusMagic = "OpusHead"

func parseOpusHead(b []byte) (opusHead, error) {
	if len(b) < 19 || string(b[:8]) != opusMagic {
		return opusHead{}, malformed("OpusHead of %d bytes", len(b))
	}
	h := opusHead{
		channels: int(b[9]),
		preSkip:  int(binary.LittleEndian.Uint16(b[10:])),
		rate:     int(binary.LittleEndian.Uint32(b[12:])),
		gain:     1,
	}
	if q := int16(binary.LittleEndian.Uint16(b[16:])); q != 0 {
		h.gain = float32(math.Pow(10, float64(q)/256/20))
	}
	switch family := b[18]; {
	case b[8]>>4 != 0:
		return opusHead{}, unsupported("OpusHead version %d", b[8])
	case family > 1:
		return opusHead{}, unsupported("Opus channel mapping family %d", family)
	case family == 1 && (len(b) < 21 || b[19] != 1):
		return opusHead{}, unsupported("Opus with %d channels in several streams", h.channels)
	case h.channels < 1 || h.channels > 2:
		return opusHead{}, malformed("Opus with %d channels in one stream", h.channels)
	}
	return h, nil
}

func (h opusHead) append(b []byte) []byte {
	b = append(b, opusMagic...)
	b = append(b, 1, byte(h.channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(h.preSkip))
	b = binary.LittleEndian.AppendUint32(b, uint32(h.rate))
	return append(b, 0, 0, 0)
}

// cut tracks what of an Opus stream counts: it takes the pre-skip off its start.
type cut struct {
	head  opusHead
	skip  int  // samples at 48 kHz still to drop
	begun bool // a packet was given
}

func newCut(h opusHead) cut { return cut{head: h, skip: h.preSkip} }

// next describes payload, whose length in samples at 48 kHz it also gives.
func (c *cut) next(payload []byte) (Packet, int, error) {
	p, err := codec.ParseOpusPacket(payload)
	if err != nil {
		return Packet{}, 0, err
	}
	n := codec.Samples(p.Duration(), granuleRate)
	skip := min(c.skip, n)
	out := Packet{Payload: payload, Skip: skip, Gain: c.head.gain, First: !c.begun}
	c.skip -= skip
	c.begun = true
	return out, n, nil
}
