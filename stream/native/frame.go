package native

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the length of the header before each audio payload in bytes.
const HeaderSize = 16

// KindAudio is the one kind of binary frame there is.
const KindAudio = 1

// Flags of a frame. Bits not named here are ignored.
const (
	FlagEnd           = 1 << 0 // the stream ends after this payload
	FlagDiscontinuity = 1 << 1 // audio is missing before this payload
	FlagCodecHeader   = 1 << 2 // the payload is a header of its container
	FlagSilence       = 1 << 3 // DTX: the payload may be empty
)

// ServerStream is the bit that tells the server's streams from the client's.
const ServerStream = 0x8000

// Frame is one binary message with a header, big-endian:
//
//	 0       1       2               4               8              16
//	+-------+-------+---------------+---------------+--------------+---------
//	| kind  | flags | stream        | seq           | pts_us       | payload
//	+-------+-------+---------------+---------------+--------------+---------
type Frame struct {
	Kind    uint8
	Flags   uint8
	Stream  uint16 // client 0 to 0x7FFF; server 0x8000|n
	Seq     uint32 // per stream, +1 a frame
	PTS     uint64 // µs, of the first sample
	Payload []byte
}

// AppendFrame appends the header and payload of f to dst.
func AppendFrame(dst []byte, f Frame) []byte {
	dst = append(dst, f.Kind, f.Flags)
	dst = binary.BigEndian.AppendUint16(dst, f.Stream)
	dst = binary.BigEndian.AppendUint32(dst, f.Seq)
	dst = binary.BigEndian.AppendUint64(dst, f.PTS)
	return append(dst, f.Payload...)
}

// ParseFrame reads a binary message. The payload is a view of it. It fails
// only where the header is not whole; what the fields say is not judged.
func ParseFrame(b []byte) (Frame, error) {
	if len(b) < HeaderSize {
		return Frame{}, fmt.Errorf("binary message of %d bytes is shorter than its header of %d", len(b), HeaderSize)
	}
	return Frame{
		Kind:    b[0],
		Flags:   b[1],
		Stream:  binary.BigEndian.Uint16(b[2:]),
		Seq:     binary.BigEndian.Uint32(b[4:]),
		PTS:     binary.BigEndian.Uint64(b[8:]),
		Payload: b[HeaderSize:],
	}, nil
}
