package opus

import (
	"fmt"
	"time"

	libopus "gopkg.in/hraban/opus.v2"

	"parley/codec"
)

const (
	// FrameDuration is what one packet of an Encoder covers.
	FrameDuration = 20 * time.Millisecond
	// Lookahead is by how much the decoded signal lags behind the encoded:
	// the pre-skip of RFC 7845, 312 samples at 48 kHz.
	Lookahead = 6500 * time.Microsecond
)

// Config says how an Encoder works. The zero value of a field means its default.
type Config struct {
	SourceRate int  // Hz of the samples given, codec.MinRate to codec.MaxRate
	Rate       int  // Hz inside libopus: 8000, 12000, 16000, 24000 or 48000; default: fits SourceRate
	Bitrate    int  // bit/s, 6000 to 510000; default 32000
	Loss       int  // expected packet loss in %, 0 to 100, which sizes the error correction; default 10
	Complexity int  // 1 to 10; default 5
	NoFEC      bool // leave out in-band error correction
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *int
		value int
	}{{&c.Rate, NativeRate(c.SourceRate)}, {&c.Bitrate, 32000}, {&c.Loss, 10}, {&c.Complexity, 5}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

// Validate reports a field that is out of range as codec.ErrUnsupported.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.SourceRate < codec.MinRate || c.SourceRate > codec.MaxRate:
		return fmt.Errorf("%w: source rate %d Hz is outside %d to %d", codec.ErrUnsupported, c.SourceRate, codec.MinRate, codec.MaxRate)
	case NativeRate(c.Rate) != c.Rate:
		return fmt.Errorf("%w: Opus rate %d Hz, want 8000, 12000, 16000, 24000 or 48000", codec.ErrUnsupported, c.Rate)
	case c.Bitrate < 6000 || c.Bitrate > 510000:
		return fmt.Errorf("%w: Opus bitrate %d is outside 6000 to 510000", codec.ErrUnsupported, c.Bitrate)
	case c.Loss < 0 || c.Loss > 100:
		return fmt.Errorf("%w: Opus loss of %d %%", codec.ErrUnsupported, c.Loss)
	case c.Complexity < 1 || c.Complexity > 10:
		return fmt.Errorf("%w: Opus complexity %d is outside 1 to 10", codec.ErrUnsupported, c.Complexity)
	}
	return nil
}

// Encoder turns mono samples into Opus packets of 20 ms, tuned for speech. One
// resampler and one codec state serve the whole stream. It implements
// codec.Encoder.
type Encoder struct {
	lib    *libopus.Encoder
	rate   int // Hz inside libopus
	in     *codec.Resampler
	frame  []float32 // samples of the packet being filled
	size   int       // samples of a full packet
	open   bool      // packets were emitted since the last Flush
	packet [codec.MaxOpusFrame + 1]byte
}

// NewEncoder opens an encoder; a Config that does not validate gives
// codec.ErrUnsupported.
func NewEncoder(c Config) (*Encoder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	in, err := codec.NewResampler(c.SourceRate, c.Rate)
	if err != nil {
		return nil, err
	}
	lib, err := libopus.NewEncoder(c.Rate, 1, libopus.AppVoIP)
	if err != nil {
		return nil, fmt.Errorf("Opus encoder at %d Hz: %w", c.Rate, err)
	}
	for _, set := range []error{
		lib.SetBitrate(c.Bitrate), lib.SetComplexity(c.Complexity),
		lib.SetInBandFEC(!c.NoFEC), lib.SetPacketLossPerc(c.Loss),
	} {
		if set != nil {
			return nil, fmt.Errorf("Opus encoder %+v: %w", c, set)
		}
	}
	size := codec.Samples(FrameDuration, c.Rate)
	return &Encoder{lib: lib, rate: c.Rate, in: in, size: size, frame: make([]float32, 0, 2*size)}, nil
}

// Rate is the rate in Hz inside libopus.
func (e *Encoder) Rate() int { return e.rate }

// Encode emits a packet for every 20 ms that pcm completes. An error of emit
// ends the call and is returned as it is; the audio of that packet is lost.
func (e *Encoder) Encode(pcm []float32, emit func(codec.Packet) error) error {
	for len(pcm) > 0 {
		n := min(len(pcm), e.in.In()/50)
		e.frame = e.in.Process(e.frame, pcm[:n])
		pcm = pcm[n:]
		if err := e.drain(emit); err != nil {
			return err
		}
	}
	return nil
}

func (e *Encoder) drain(emit func(codec.Packet) error) error {
	for len(e.frame) >= e.size {
		if err := e.emit(e.size, emit); err != nil {
			return err
		}
	}
	return nil
}

// emit encodes the first 20 ms of the frame, of which n samples are media.
func (e *Encoder) emit(n int, emit func(codec.Packet) error) error {
	e.open = true
	size, err := e.lib.EncodeFloat32(e.frame[:e.size], e.packet[:])
	e.frame = e.frame[:copy(e.frame, e.frame[e.size:])]
	if err != nil {
		return fmt.Errorf("Opus encoder: %w", err)
	}
	payload := append([]byte(nil), e.packet[:size]...)
	return emit(codec.Packet{Payload: payload, Duration: codec.Duration(n, e.rate)})
}

// Flush emits what is left, padded with silence so that a decoder also gets the
// part that lags behind. The durations of all packets sum up to the media
// time, so the last may be shorter than its 20 ms, or zero. Then the Encoder
// may take the next part of the same stream.
func (e *Encoder) Flush(emit func(codec.Packet) error) error {
	e.frame = e.in.Flush(e.frame)
	if err := e.drain(emit); err != nil {
		return err
	}
	media := len(e.frame)
	lag := codec.Samples(Lookahead, e.rate)
	if !e.open && media == 0 {
		return nil
	}
	for left := media + lag; left > 0; left -= e.size {
		pad := e.size - len(e.frame)
		for range pad {
			e.frame = append(e.frame, 0)
		}
		if err := e.emit(min(media, e.size), emit); err != nil {
			return err
		}
		media = 0
	}
	e.open = false
	return nil
}
