package codec_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/codec"
)

const ms = time.Millisecond

// toc builds a table-of-contents byte (RFC 6716 section 3.1).
func toc(config int, stereo bool, code byte) byte {
	b := byte(config)<<3 | code
	if stereo {
		b |= 4
	}
	return b
}

func packet(head []byte, frames int) []byte {
	return append(head, bytes.Repeat([]byte{1}, frames)...)
}

func TestParseOpusPacket(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []byte
		want codec.OpusPacket
	}{
		{"silence", []byte{toc(1, false, 0)}, codec.OpusPacket{Frames: 1, FrameDuration: 20 * ms}},
		{"silk 60 ms", packet([]byte{toc(3, false, 0)}, 9), codec.OpusPacket{Frames: 1, FrameDuration: 60 * ms}},
		{"silk wide 10 ms", packet([]byte{toc(8, false, 0)}, 9), codec.OpusPacket{Frames: 1, FrameDuration: 10 * ms}},
		{"hybrid stereo", packet([]byte{toc(15, true, 0)}, 9), codec.OpusPacket{Frames: 1, FrameDuration: 20 * ms, Stereo: true}},
		{"celt 2.5 ms", packet([]byte{toc(16, false, 0)}, 9), codec.OpusPacket{Frames: 1, FrameDuration: 2500 * time.Microsecond}},
		{"largest frame", packet([]byte{toc(31, false, 0)}, 1275), codec.OpusPacket{Frames: 1, FrameDuration: 20 * ms}},
		{"two equal", packet([]byte{toc(31, false, 1)}, 10), codec.OpusPacket{Frames: 2, FrameDuration: 20 * ms}},
		{"two unequal", packet([]byte{toc(31, false, 2), 3}, 10), codec.OpusPacket{Frames: 2, FrameDuration: 20 * ms}},
		{"two unequal, long", packet([]byte{toc(31, false, 2), 252, 1}, 300), codec.OpusPacket{Frames: 2, FrameDuration: 20 * ms}},
		{"48 of 2.5 ms", packet([]byte{toc(16, false, 3), 48}, 48), codec.OpusPacket{Frames: 48, FrameDuration: 2500 * time.Microsecond}},
		{"three of own length", packet([]byte{toc(19, false, 3), 0x83, 1, 2}, 4), codec.OpusPacket{Frames: 3, FrameDuration: 20 * ms}},
		{"padded", packet([]byte{toc(19, false, 3), 0x42, 3}, 7), codec.OpusPacket{Frames: 2, FrameDuration: 20 * ms}},
		{"padded much", packet([]byte{toc(19, false, 3), 0x42, 255, 1}, 255+4), codec.OpusPacket{Frames: 2, FrameDuration: 20 * ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := codec.ParseOpusPacket(tc.in)
			if err != nil || got != tc.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func TestParseOpusPacketRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, reason string
		in           []byte
	}{
		{"nothing", "no bytes", nil},
		{"too large", "7663 bytes, at most 7662", make([]byte, codec.MaxOpusPacket+1)},
		{"frame too large", "frame of 1276 bytes", packet([]byte{toc(31, false, 0)}, 1276)},
		{"two equal in an odd number", "two equal frames in 3 bytes", packet([]byte{toc(31, false, 1)}, 3)},
		{"two equal too large", "frame of 1276 bytes", packet([]byte{toc(31, false, 1)}, 2*1276)},
		{"no first length", "ends inside a frame length", []byte{toc(31, false, 2)}},
		{"half a length", "ends inside a frame length", []byte{toc(31, false, 2), 252}},
		{"first frame beyond", "frames of 9 bytes in 2", packet([]byte{toc(31, false, 2), 9}, 2)},
		{"no count", "no frame count", []byte{toc(31, false, 3)}},
		{"count 0", "frame count 0", packet([]byte{toc(31, false, 3), 0}, 2)},
		{"49 frames", "49 frames of 2.5ms are 122.5ms", packet([]byte{toc(16, false, 3), 49}, 49)},
		{"three of 60 ms", "3 frames of 60ms are 180ms", packet([]byte{toc(3, false, 3), 3}, 3)},
		{"padding without length", "ends inside its padding length", []byte{toc(19, false, 3), 0x41, 255}},
		{"padding beyond", "padding of 4 bytes in 3", packet([]byte{toc(19, false, 3), 0x41, 4}, 3)},
		{"unequal", "2 equal frames in 5 bytes", packet([]byte{toc(19, false, 3), 2}, 5)},
		{"own lengths beyond", "frames of 9 bytes in 1", packet([]byte{toc(19, false, 3), 0x82, 9}, 1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := codec.ParseOpusPacket(tc.in)
			if !errors.Is(err, codec.ErrMalformed) || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("error %v, want ErrMalformed with %q", err, tc.reason)
			}
		})
	}
}

func TestFormatValidate(t *testing.T) {
	for _, tc := range []struct {
		in   codec.Format
		want string
	}{
		{codec.Format{Encoding: codec.Opus, Rate: 48000, Channels: 2}, ""},
		{codec.Format{Encoding: codec.Auto}, ""},
		{codec.Format{Encoding: "mp3", Rate: 48000, Channels: 2}, `codec "mp3"`},
		{codec.Format{Encoding: codec.PCM16, Rate: 7999, Channels: 1}, "rate 7999 Hz"},
		{codec.Format{Encoding: codec.MuLaw, Rate: 8000}, "0 channels"},
	} {
		err := tc.in.Validate()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%+v: %v", tc.in, err)
		case tc.want != "" && (!errors.Is(err, codec.ErrUnsupported) || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%+v: error %v, want ErrUnsupported with %q", tc.in, err, tc.want)
		}
	}
}
