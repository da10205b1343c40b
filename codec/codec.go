// Package codec holds the audio value types that every other package speaks:
// formats, mono float32 PCM, resampling, framing and G.711. It is pure: no
// goroutines, no clocks, no cgo; it imports nothing of ours.
package codec

import (
	"errors"
	"fmt"
	"time"
)

// SpeechRate is the sample rate in Hz at which all recognition happens:
// Silero and Whisper both take 16 kHz mono.
const SpeechRate = 16000

// Encoding names how audio is represented in bytes, as on the wire.
type Encoding string

// The encodings a peer may send. The first five may also be raw output.
const (
	Opus     Encoding = "opus"      // one raw Opus packet a payload (RFC 6716)
	PCM16    Encoding = "pcm_s16le" // signed 16-bit little-endian, interleaved
	PCMFloat Encoding = "pcm_f32le" // IEEE 754 float32 little-endian in [-1, 1], interleaved
	MuLaw    Encoding = "mulaw"     // ITU-T G.711 µ-law
	ALaw     Encoding = "alaw"      // ITU-T G.711 A-law
	OggOpus  Encoding = "ogg_opus"  // Opus in Ogg (RFC 7845)
	WebMOpus Encoding = "webm_opus" // Opus in WebM, as MediaRecorder makes it
	WAV      Encoding = "wav"       // RIFF WAVE: PCM 8/16/24/32 bit, float, G.711
	Auto     Encoding = "auto"      // decided by the first bytes
)

// Errors that callers branch on. Decoders wrap them with what was wrong.
var (
	// ErrUnsupported: a valid stream in a format we do not take.
	ErrUnsupported = errors.New("unsupported audio format")
	// ErrMalformed: bytes that are not what their format says they are.
	ErrMalformed = errors.New("malformed audio")
	// ErrTruncated: the stream ended inside a header, page, block or packet.
	ErrTruncated = errors.New("truncated audio")
)

// Format says how the bytes of one stream are to be read.
type Format struct {
	Encoding Encoding
	Rate     int // Hz, 8000 to 48000; 0 where the stream itself tells
	Channels int // 1 or 2; 0 where the stream itself tells
}

// Validate reports a format no decoder could take, naming the field.
func (f Format) Validate() error {
	switch f.Encoding {
	case OggOpus, WebMOpus, WAV, Auto:
		return nil // self-describing: declared rate and channels are ignored
	case Opus, PCM16, PCMFloat, MuLaw, ALaw:
	default:
		return fmt.Errorf("%w: codec %q", ErrUnsupported, f.Encoding)
	}
	if f.Rate < 8000 || f.Rate > 48000 {
		return fmt.Errorf("%w: rate %d Hz is outside 8000 to 48000", ErrUnsupported, f.Rate)
	}
	if f.Channels != 1 && f.Channels != 2 {
		return fmt.Errorf("%w: %d channels, want 1 or 2", ErrUnsupported, f.Channels)
	}
	return nil
}

// Decoder turns the payloads of one input stream into mono samples at one
// rate fixed when it was opened. It is stateful and not safe for concurrent use.
// Errors wrap ErrMalformed, ErrUnsupported or ErrTruncated; after one the
// stream can go on unless the payloads form a container.
type Decoder interface {
	// Decode appends the samples of one payload to dst. Payloads of containers
	// and PCM may be cut anywhere; an Opus payload is one whole packet.
	Decode(dst []float32, payload []byte) ([]float32, error)
	// Conceal appends n samples in place of audio that never came. next, where
	// known, is the payload after the gap: Opus recovers from its FEC.
	Conceal(dst []float32, n int, next []byte) ([]float32, error)
	// Flush ends the stream: it appends what was still held back and reports
	// ErrTruncated where the stream stopped inside a unit.
	Flush(dst []float32) ([]float32, error)
}

// Encoder turns mono samples at one rate into the payloads of one output
// stream. It is stateful and not safe for concurrent use.
type Encoder interface {
	// Encode takes samples and calls emit for each payload that is complete.
	Encode(pcm []float32, emit func(Packet) error) error
	// Flush pads and emits what is left.
	Flush(emit func(Packet) error) error
}

// Packet is one encoded payload and the media time it covers.
type Packet struct {
	Payload  []byte // owned by the receiver
	Duration time.Duration
}

// Samples converts a duration to a sample count at rate, rounded down.
func Samples(d time.Duration, rate int) int {
	return int(int64(d) * int64(rate) / int64(time.Second))
}

// Duration converts a sample count at rate to time.
func Duration(n, rate int) time.Duration {
	return time.Duration(int64(n) * int64(time.Second) / int64(rate))
}
