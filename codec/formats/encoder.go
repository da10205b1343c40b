package formats

import (
	"fmt"
	"time"

	"parley/codec"
	"parley/codec/opus"
)

// packetDuration is the media time of each payload of raw samples, as of Opus.
const packetDuration = 20 * time.Millisecond

// NewEncoder opens an encoder of mono samples at srcRate Hz to f: codec.Opus,
// codec.PCM16, codec.PCMFloat, codec.MuLaw or codec.ALaw, in payloads of 20 ms.
// Raw samples appear in each of two channels; Opus is always mono, which every
// Opus decoder takes, and f.Rate only bounds its bandwidth. Others give
// codec.ErrUnsupported.
func NewEncoder(f codec.Format, srcRate int) (codec.Encoder, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if f.Encoding == codec.Opus {
		return opus.NewEncoder(opus.Config{SourceRate: srcRate, Rate: opus.NativeRate(f.Rate)})
	}
	e := &rawEncoder{channels: f.Channels, rate: f.Rate, size: codec.Samples(packetDuration, f.Rate)}
	switch f.Encoding {
	case codec.PCM16:
		e.pack = codec.AppendPCM16
	case codec.PCMFloat:
		e.pack = codec.AppendPCMFloat
	case codec.MuLaw:
		e.pack = codec.AppendMuLaw
	case codec.ALaw:
		e.pack = codec.AppendALaw
	default:
		return nil, fmt.Errorf("%w: codec %q is for input only", codec.ErrUnsupported, f.Encoding)
	}
	layout, _ := codec.LayoutOf(f.Encoding)
	e.width = layout.Size()
	var err error
	e.in, err = codec.NewResampler(srcRate, f.Rate)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// rawEncoder packs samples.
type rawEncoder struct {
	in       *codec.Resampler
	pack     func([]byte, []float32) []byte
	width    int // bytes of a sample
	channels int
	rate     int
	size     int       // samples of a full payload
	frame    []float32 // samples of the payload being filled
	wide     []float32 // a payload with its channels
}

func (e *rawEncoder) Encode(pcm []float32, emit func(codec.Packet) error) error {
	for len(pcm) > 0 {
		n := min(len(pcm), e.in.In()/10)
		e.frame = e.in.Process(e.frame, pcm[:n])
		pcm = pcm[n:]
		if err := e.drain(emit); err != nil {
			return err
		}
	}
	return nil
}

func (e *rawEncoder) drain(emit func(codec.Packet) error) error {
	for len(e.frame) >= e.size {
		if err := e.emit(e.size, emit); err != nil {
			return err
		}
	}
	return nil
}

// emit packs the first n samples.
func (e *rawEncoder) emit(n int, emit func(codec.Packet) error) error {
	e.wide = e.wide[:0]
	for _, x := range e.frame[:n] {
		for range e.channels {
			e.wide = append(e.wide, x)
		}
	}
	e.frame = e.frame[:copy(e.frame, e.frame[n:])]
	payload := e.pack(make([]byte, 0, e.width*len(e.wide)), e.wide)
	return emit(codec.Packet{Payload: payload, Duration: codec.Duration(n, e.rate)})
}

// Flush emits what is left as it is: raw samples need no padding.
func (e *rawEncoder) Flush(emit func(codec.Packet) error) error {
	e.frame = e.in.Flush(e.frame)
	if err := e.drain(emit); err != nil || len(e.frame) == 0 {
		return err
	}
	return e.emit(len(e.frame), emit)
}
