package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Layout is how one sample lies in bytes, little-endian where it has several.
type Layout uint8

// The layouts of raw audio and of WAVE files.
const (
	LayoutU8    Layout = iota // unsigned, 128 is zero
	LayoutS16                 // two's complement
	LayoutS24                 // two's complement, 3 bytes
	LayoutS32                 // two's complement
	LayoutF32                 // IEEE 754 single in [-1, 1]
	LayoutF64                 // IEEE 754 double in [-1, 1]
	LayoutMuLaw               // G.711
	LayoutALaw                // G.711
)

// MaxChannels is the most channels an Unpacker mixes down.
const MaxChannels = 8

// Size is the number of bytes of one sample.
func (l Layout) Size() int {
	return [...]int{1, 2, 3, 4, 4, 8, 1, 1}[l]
}

// LayoutOf gives the layout of a raw encoding; false for all others.
func LayoutOf(e Encoding) (Layout, bool) {
	switch e {
	case PCM16:
		return LayoutS16, true
	case PCMFloat:
		return LayoutF32, true
	case MuLaw:
		return LayoutMuLaw, true
	case ALaw:
		return LayoutALaw, true
	}
	return 0, false
}

// Unpacker reads raw interleaved samples from bytes that are cut anywhere and
// mixes the channels down to mono. It holds less than one frame of bytes.
type Unpacker struct {
	layout   Layout
	channels int
	carry    []byte
}

// NewUnpacker reads frames of 1 to MaxChannels samples; other counts give
// ErrUnsupported.
func NewUnpacker(l Layout, channels int) (*Unpacker, error) {
	if channels < 1 || channels > MaxChannels {
		return nil, fmt.Errorf("%w: %d channels, want 1 to %d", ErrUnsupported, channels, MaxChannels)
	}
	return &Unpacker{layout: l, channels: channels, carry: make([]byte, 0, channels*l.Size())}, nil
}

// Unpack appends one mono sample in [-1, 1] for every frame that b completes;
// NaN becomes zero.
func (u *Unpacker) Unpack(dst []float32, b []byte) []float32 {
	frame := cap(u.carry)
	if len(u.carry) > 0 {
		n := min(frame-len(u.carry), len(b))
		u.carry = append(u.carry, b[:n]...)
		b = b[n:]
		if len(u.carry) < frame {
			return dst
		}
		dst = u.frames(dst, u.carry)
		u.carry = u.carry[:0]
	}
	whole := len(b) - len(b)%frame
	dst = u.frames(dst, b[:whole])
	u.carry = append(u.carry, b[whole:]...)
	return dst
}

// Pending is the number of bytes held of an incomplete frame.
func (u *Unpacker) Pending() int { return len(u.carry) }

// Reset drops the bytes of an incomplete frame.
func (u *Unpacker) Reset() { u.carry = u.carry[:0] }

func (u *Unpacker) frames(dst []float32, b []byte) []float32 {
	size := u.layout.Size()
	n := len(b) / (size * u.channels)
	dst = slices.Grow(dst, n)
	if u.layout == LayoutS16 && u.channels == 1 {
		for ; len(b) >= 2; b = b[2:] {
			dst = append(dst, float32(int16(binary.LittleEndian.Uint16(b)))/32768)
		}
		return dst
	}
	for range n {
		sum := float32(0)
		for range u.channels {
			sum += Clip(u.layout.sample(b))
			b = b[size:]
		}
		dst = append(dst, sum/float32(u.channels))
	}
	return dst
}

func (l Layout) sample(b []byte) float32 {
	switch l {
	case LayoutU8:
		return float32(int(b[0])-128) / 128
	case LayoutS16:
		return float32(int16(binary.LittleEndian.Uint16(b))) / 32768
	case LayoutS24:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)>>8) / (1 << 23)
	case LayoutS32:
		return float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
	case LayoutF32:
		return math.Float32frombits(binary.LittleEndian.Uint32(b))
	case LayoutF64:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case LayoutMuLaw:
		return muLawTable[b[0]]
	default:
		return aLawTable[b[0]]
	}
}

// Clip limits x to [-1, 1]; NaN becomes zero.
func Clip(x float32) float32 {
	switch {
	case x > 1:
		return 1
	case x < -1:
		return -1
	case x != x:
		return 0
	}
	return x
}

// ToPCM16 rounds a sample in [-1, 1] to 16 bits, clipping what lies beyond.
func ToPCM16(x float32) int16 {
	return int16(min(math.RoundToEven(float64(Clip(x))*32768), math.MaxInt16))
}

// AppendPCM16 appends samples as 16-bit little-endian.
func AppendPCM16(dst []byte, pcm []float32) []byte {
	for _, x := range pcm {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(ToPCM16(x)))
	}
	return dst
}

// AppendPCMFloat appends samples as 32-bit little-endian floats.
func AppendPCMFloat(dst []byte, pcm []float32) []byte {
	for _, x := range pcm {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
	}
	return dst
}
