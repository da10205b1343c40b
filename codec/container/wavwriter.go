package container

import (
	"encoding/binary"
	"fmt"
	"io"

	"parley/codec"
)

const wavHeaderLen = 44

// WAVWriter writes mono 16-bit PCM. Its header says that the length is unknown;
// where the writer can seek, Close puts the length in.
type WAVWriter struct {
	w    io.Writer
	rate int
	size int64
	buf  []byte
}

// NewWAVWriter writes the header for samples at rate Hz.
func NewWAVWriter(w io.Writer, rate int) (*WAVWriter, error) {
	ww := &WAVWriter{w: w, rate: rate}
	if _, err := w.Write(wavHeader(rate, 0xffffffff)); err != nil {
		return nil, fmt.Errorf("WAV header: %w", err)
	}
	return ww, nil
}

func wavHeader(rate int, size uint32) []byte {
	riff := size
	if size != 0xffffffff {
		riff += wavHeaderLen - 8
	}
	b := append(make([]byte, 0, wavHeaderLen), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, riff)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, tagPCM)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*2))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, size)
}

// Write appends samples.
func (w *WAVWriter) Write(pcm []float32) error {
	w.buf = codec.AppendPCM16(w.buf[:0], pcm)
	n, err := w.w.Write(w.buf)
	w.size += int64(n)
	if err != nil {
		return fmt.Errorf("WAV samples: %w", err)
	}
	return nil
}

// Close corrects the header where the writer is an io.Seeker that can seek (a
// pipe cannot, and keeps the unknown length). It does not close the writer.
func (w *WAVWriter) Close() error {
	s, ok := w.w.(io.Seeker)
	if !ok || w.size > streaming {
		return nil
	}
	end, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil // not seekable after all
	}
	if _, err := s.Seek(end-w.size-wavHeaderLen, io.SeekStart); err != nil {
		return fmt.Errorf("WAV header: %w", err)
	}
	if _, err := w.w.Write(wavHeader(w.rate, uint32(w.size))); err != nil {
		return fmt.Errorf("WAV header: %w", err)
	}
	if _, err := s.Seek(end, io.SeekStart); err != nil {
		return fmt.Errorf("WAV header: %w", err)
	}
	return nil
}
