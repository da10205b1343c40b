package opus_test

import (
	"errors"
	"testing"

	"parley/codec"
)

// FuzzDecode: whatever comes as packets, a Decoder gives exactly the media time
// that the framing tells or refuses the packet, and stays usable.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(2), []byte{0xf8}, []byte{0x0b, 0xe4})
	f.Fuzz(func(t *testing.T, which uint8, first, next []byte) {
		rate := []int{8000, 12000, 16000, 22050, 24000, 44100, 48000}[which%7]
		d := newDecoder(t, rate)
		for _, payload := range [][]byte{first, next, first} {
			p, parsed := codec.ParseOpusPacket(payload)
			pcm, err := d.Decode(nil, payload)
			if (err == nil) != (parsed == nil) || err != nil && !errors.Is(err, codec.ErrMalformed) {
				t.Fatalf("decoder says %v, framing says %v", err, parsed)
			}
			if want := codec.Samples(p.Duration(), rate); len(pcm) > want+2 || rate%8000 == 0 && len(pcm) != want {
				t.Fatalf("%d samples, want %d", len(pcm), want)
			}
			if pcm, err = d.Conceal(pcm[:0], rate/50, next); err == nil && len(pcm) > rate/50+2 {
				t.Fatalf("%d samples for a gap of 20 ms", len(pcm))
			}
			for _, x := range pcm {
				if x != x || x < -1 || x > 1 {
					t.Fatalf("sample %v", x)
				}
			}
		}
	})
}
