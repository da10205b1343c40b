package codec

import (
	"fmt"
	"time"
)

// Bounds of an Opus packet.
const (
	// MaxOpusFrame is the largest frame in bytes (RFC 6716 section 3.4, R2).
	MaxOpusFrame = 1275
	// MaxOpusPacket is the largest packet we take: 120 ms as six frames of
	// 20 ms at the highest rate, with table of contents and lengths.
	MaxOpusPacket = 6*MaxOpusFrame + 12
	// MaxOpusDuration is the longest packet (RFC 6716 section 3.4, R5).
	MaxOpusDuration = 120 * time.Millisecond
)

// OpusPacket is what the framing of an Opus packet tells (RFC 6716 section 3).
type OpusPacket struct {
	Frames        int           // 1 to 48
	FrameDuration time.Duration // 2.5 to 60 ms
	Stereo        bool
}

// Duration is the media time the packet covers, 2.5 to 120 ms.
func (p OpusPacket) Duration() time.Duration {
	return time.Duration(p.Frames) * p.FrameDuration
}

// ParseOpusPacket checks the framing of one packet against the rules R1 to R7
// of RFC 6716 section 3.4. What breaks one gives ErrMalformed with the reason.
func ParseOpusPacket(b []byte) (OpusPacket, error) {
	if len(b) == 0 {
		return OpusPacket{}, malformedOpus("no bytes")
	}
	if len(b) > MaxOpusPacket {
		return OpusPacket{}, malformedOpus("%d bytes, at most %d", len(b), MaxOpusPacket)
	}
	toc, body := b[0], b[1:]
	p := OpusPacket{Frames: 1, FrameDuration: opusFrameDuration(toc), Stereo: toc&4 != 0}
	var err error
	switch toc & 3 {
	case 0:
		err = frameFits(len(body))
	case 1:
		p.Frames = 2
		if err = frameFits(len(body) / 2); len(body)%2 != 0 {
			err = malformedOpus("two equal frames in %d bytes", len(body))
		}
	case 2:
		p.Frames = 2
		err = framesFit(body, 1)
	default:
		err = p.parseMany(body)
	}
	if err != nil {
		return OpusPacket{}, err
	}
	return p, nil
}

func malformedOpus(format string, args ...any) error {
	return fmt.Errorf("%w: Opus packet: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// opusFrameDuration reads the configuration number (RFC 6716 table 2).
func opusFrameDuration(toc byte) time.Duration {
	const ms = time.Millisecond
	switch config := toc >> 3; {
	case config < 12: // SILK
		return [...]time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config&3]
	case config < 16: // hybrid
		return [...]time.Duration{10 * ms, 20 * ms}[config&1]
	default: // CELT
		return 2500 * time.Microsecond << (config & 3)
	}
}

func frameFits(n int) error {
	if n > MaxOpusFrame {
		return malformedOpus("frame of %d bytes, at most %d", n, MaxOpusFrame)
	}
	return nil
}

// framesFit checks n frames with a length each and one that takes the rest.
func framesFit(body []byte, n int) error {
	sum := 0
	for range n {
		size, used := opusLength(body)
		if used == 0 {
			return malformedOpus("ends inside a frame length")
		}
		body, sum = body[used:], sum+size
	}
	if sum > len(body) {
		return malformedOpus("frames of %d bytes in %d", sum, len(body))
	}
	return frameFits(len(body) - sum)
}

// opusLength reads a frame length (RFC 6716 section 3.2.1): one or two bytes,
// at most 1275. It has used no bytes where b is too short.
func opusLength(b []byte) (size, used int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] < 252:
		return int(b[0]), 1
	case len(b) < 2:
		return 0, 0
	}
	return int(b[0]) + 4*int(b[1]), 2
}

// parseMany reads a packet of code 3: a count, padding, and any number of
// frames (RFC 6716 section 3.2.5).
func (p *OpusPacket) parseMany(body []byte) error {
	if len(body) == 0 {
		return malformedOpus("no frame count")
	}
	head := body[0]
	body = body[1:]
	p.Frames = int(head & 0x3f)
	if p.Frames == 0 {
		return malformedOpus("frame count 0")
	}
	if d := p.Duration(); d > MaxOpusDuration {
		return malformedOpus("%d frames of %v are %v, at most %v", p.Frames, p.FrameDuration, d, MaxOpusDuration)
	}
	if head&0x40 != 0 {
		var err error
		if body, err = stripPadding(body); err != nil {
			return err
		}
	}
	if head&0x80 != 0 {
		return framesFit(body, p.Frames-1)
	}
	if len(body)%p.Frames != 0 {
		return malformedOpus("%d equal frames in %d bytes", p.Frames, len(body))
	}
	return frameFits(len(body) / p.Frames)
}

func stripPadding(body []byte) ([]byte, error) {
	padding := 0
	for {
		if len(body) == 0 {
			return nil, malformedOpus("ends inside its padding length")
		}
		n := int(body[0])
		body = body[1:]
		if n < 255 {
			padding += n
			break
		}
		padding += 254
	}
	if padding > len(body) {
		return nil, malformedOpus("padding of %d bytes in %d", padding, len(body))
	}
	return body[:len(body)-padding], nil
}
