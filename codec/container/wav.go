package container

import (
	"encoding/binary"

	"parley/codec"
)

// WAVE format tags.
const (
	tagPCM        = 1
	tagFloat      = 3
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xfffe
)

// guidTail ends every sub-format of WAVE_FORMAT_EXTENSIBLE that is a format tag.
const guidTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// streaming is the data size from which on writers mean that they did not know
// it: 0xffffffff, and 0x7fff.... of tools that fear the sign.
const streaming = 0x7fff0000

// WAV reads a RIFF WAVE stream: integers of 8, 16, 24 and 32 bits, floats of 32
// and 64, G.711, 1 to 8 channels mixed to mono, 8 to 48 kHz. Chunks it does
// not know are skipped. A data size of 0 or near the limit means that the
// stream runs to its end, as it does from a pipe.
type WAV struct {
	state  wavState
	need   int    // bytes that the state collects in held
	held   []byte // at most 40
	skip   int64  // bytes to pass over before the state goes on
	chunk  uint32 // size of the chunk that held is of
	rate   int
	pcm    *codec.Unpacker
	left   int64 // bytes of the data chunk; negative: no end known
	broken error
}

type wavState uint8

const (
	wavRIFF  wavState = iota // the file header
	wavChunk                 // a chunk header
	wavFmt                   // the body of "fmt "
	wavData                  // samples
)

// NewWAV reads one stream from its first byte.
func NewWAV() *WAV { return &WAV{need: 12} }

// Rate is the sample rate in Hz, 0 until the header has been read.
func (w *WAV) Rate() int {
	if w.pcm == nil {
		return 0
	}
	return w.rate
}

// Push appends the mono samples at Rate that b completes. After
// codec.ErrMalformed or codec.ErrUnsupported every call repeats that error.
func (w *WAV) Push(dst []float32, b []byte) ([]float32, error) {
	for len(b) > 0 && w.broken == nil {
		switch {
		case w.skip > 0:
			n := min(w.skip, int64(len(b)))
			b, w.skip = b[n:], w.skip-n
		case w.state == wavData:
			n := int64(len(b))
			if w.left >= 0 {
				n = min(n, w.left)
				w.left -= n
			}
			dst = w.pcm.Unpack(dst, b[:n])
			b = b[n:]
			if w.left == 0 {
				w.skip = 1<<63 - 1 // what follows the samples is not for us
			}
		default:
			n := min(w.need-len(w.held), len(b))
			w.held = append(w.held, b[:n]...)
			b = b[n:]
			if len(w.held) == w.need {
				w.broken = w.step()
				w.held = w.held[:0]
			}
		}
	}
	return dst, w.broken
}

// step acts on the bytes the state has collected.
func (w *WAV) step() error {
	switch w.state {
	case wavRIFF:
		if enc, err := Sniff(w.held); err != nil || enc != codec.WAV {
			return malformed("WAV does not begin with RIFF and WAVE but % x", w.held)
		}
		w.expect(wavChunk, 8)
		return nil
	case wavChunk:
		return w.openChunk(string(w.held[:4]), binary.LittleEndian.Uint32(w.held[4:]))
	default:
		w.skip = int64(w.chunk) - int64(len(w.held)) + int64(w.chunk&1)
		w.expect(wavChunk, 8)
		return w.parseFmt(w.held)
	}
}

func (w *WAV) expect(s wavState, need int) { w.state, w.need = s, need }

func (w *WAV) openChunk(id string, size uint32) error {
	w.chunk = size
	switch id {
	case "fmt ":
		if w.pcm != nil {
			return malformed("WAV with two fmt chunks")
		}
		if size < 16 || size > 1<<16 {
			return malformed("WAV fmt chunk of %d bytes", size)
		}
		w.expect(wavFmt, int(min(size, 40)))
	case "data":
		if w.pcm == nil {
			return malformed("WAV data before its fmt chunk")
		}
		w.state, w.left = wavData, int64(size)
		if size == 0 || size >= streaming {
			w.left = -1
		}
	default:
		w.skip = int64(size) + int64(size&1)
	}
	return nil
}

func (w *WAV) parseFmt(b []byte) error {
	tag, bits := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[14:]))
	channels, rate := int(binary.LittleEndian.Uint16(b[2:])), binary.LittleEndian.Uint32(b[4:])
	if tag == tagExtensible {
		if len(b) < 40 {
			return malformed("WAV extensible fmt chunk of %d bytes", len(b))
		}
		if string(b[26:40]) != guidTail {
			return unsupported("WAV sub-format % x", b[24:40])
		}
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	layout, ok := wavLayout(tag, bits)
	switch {
	case !ok:
		return unsupported("WAV format tag %d with %d bits a sample", tag, bits)
	case rate < codec.MinRate || rate > codec.MaxRate:
		return unsupported("WAV rate %d Hz is outside %d to %d", rate, codec.MinRate, codec.MaxRate)
	case channels == 0:
		return malformed("WAV without channels")
	}
	pcm, err := codec.NewUnpacker(layout, channels)
	if err != nil {
		return err
	}
	if align := int(binary.LittleEndian.Uint16(b[12:])); align != channels*layout.Size() {
		return malformed("WAV frames of %d bytes for %d channels of %d bits", align, channels, bits)
	}
	w.pcm, w.rate = pcm, int(rate)
	return nil
}

func wavLayout(tag uint16, bits int) (codec.Layout, bool) {
	switch [2]int{int(tag), bits} {
	case [2]int{tagPCM, 8}:
		return codec.LayoutU8, true
	case [2]int{tagPCM, 16}:
		return codec.LayoutS16, true
	case [2]int{tagPCM, 24}:
		return codec.LayoutS24, true
	case [2]int{tagPCM, 32}:
		return codec.LayoutS32, true
	case [2]int{tagFloat, 32}:
		return codec.LayoutF32, true
	case [2]int{tagFloat, 64}:
		return codec.LayoutF64, true
	case [2]int{tagMuLaw, 8}:
		return codec.LayoutMuLaw, true
	case [2]int{tagALaw, 8}:
		return codec.LayoutALaw, true
	}
	return 0, false
}

// End reports codec.ErrTruncated where the stream stopped before its samples,
// inside a frame, or short of the size it told.
func (w *WAV) End() error {
	switch {
	case w.broken != nil:
		return w.broken
	case w.state != wavData:
		return truncated("WAV ends in its header")
	case w.left > 0:
		return truncated("WAV ends %d bytes short of its data size", w.left)
	case w.pcm.Pending() > 0:
		return truncated("WAV ends inside a sample")
	}
	return nil
}
