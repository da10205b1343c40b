package codec_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
)

func unpack(t testing.TB, l codec.Layout, channels int, b []byte) []float32 {
	t.Helper()
	u, err := codec.NewUnpacker(l, channels)
	if err != nil {
		t.Fatal(err)
	}
	pcm := u.Unpack(nil, b)
	if u.Pending() != len(b)%(channels*l.Size()) {
		t.Errorf("%d bytes pending of %d", u.Pending(), len(b))
	}
	return pcm
}

func TestUnpackerReadsLayouts(t *testing.T) {
	f32 := func(v float32) []byte { return codec.AppendPCMFloat(nil, []float32{v}) }
	nan := float32(math.NaN())
	for _, tc := range []struct {
		name     string
		layout   codec.Layout
		channels int
		in       []byte
		want     []float32
	}{
		{"u8", codec.LayoutU8, 1, []byte{0, 128, 192, 255}, []float32{-1, 0, 0.5, 127. / 128}},
		{"s16", codec.LayoutS16, 1, []byte{0, 0x80, 0, 0, 0, 0x40, 0xff, 0x7f}, []float32{-1, 0, 0.5, 32767. / 32768}},
		{"s24", codec.LayoutS24, 1, []byte{0, 0, 0x80, 0, 0, 0x40, 1, 0, 0}, []float32{-1, 0.5, 1. / (1 << 23)}},
		{"s32", codec.LayoutS32, 1, []byte{0, 0, 0, 0x80, 0, 0, 0, 0x40}, []float32{-1, 0.5}},
		{"f32", codec.LayoutF32, 1, f32(0.25), []float32{0.25}},
		{"f32 too loud", codec.LayoutF32, 1, append(f32(7), f32(-7)...), []float32{1, -1}},
		{"f32 no number", codec.LayoutF32, 1, append(f32(nan), f32(float32(math.Inf(-1)))...), []float32{0, -1}},
		{"f64", codec.LayoutF64, 1, []byte{0, 0, 0, 0, 0, 0, 0xe0, 0xbf}, []float32{-0.5}},
		{"stereo s16", codec.LayoutS16, 2, []byte{0, 0x40, 0, 0, 0, 0x40, 0, 0xc0}, []float32{0.25, 0}},
		{"one channel too loud", codec.LayoutF32, 2, append(f32(100), f32(0)...), []float32{0.5}},
		{"six channels", codec.LayoutU8, 6, []byte{192, 192, 192, 128, 128, 128}, []float32{0.25}},
		{"half a sample", codec.LayoutS16, 1, []byte{0}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, unpack(t, tc.layout, tc.channels, tc.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnpackerIgnoresHowBytesAreCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for layout := codec.LayoutU8; layout <= codec.LayoutALaw; layout++ {
		for channels := 1; channels <= codec.MaxChannels; channels++ {
			b := make([]byte, 1000)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			want := unpack(t, layout, channels, b)
			u, err := codec.NewUnpacker(layout, channels)
			if err != nil {
				t.Fatal(err)
			}
			var got []float32
			for rest := b; len(rest) > 0; {
				n := min(rng.IntN(20), len(rest))
				got = u.Unpack(got, rest[:n])
				rest = rest[n:]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("layout %d, %d channels:\n%s", layout, channels, diff)
			}
		}
	}
}

func TestUnpackerResetDropsHalfAFrame(t *testing.T) {
	u, err := codec.NewUnpacker(codec.LayoutS16, 1)
	if err != nil {
		t.Fatal(err)
	}
	u.Unpack(nil, []byte{1, 2, 3})
	u.Reset()
	if diff := cmp.Diff([]float32{0.5}, u.Unpack(nil, []byte{0, 0x40})); diff != "" {
		t.Error(diff)
	}
}

func TestNewUnpackerRefusesChannels(t *testing.T) {
	for _, n := range []int{-1, 0, 9} {
		if _, err := codec.NewUnpacker(codec.LayoutS16, n); !errors.Is(err, codec.ErrUnsupported) {
			t.Errorf("%d channels: error %v, want ErrUnsupported", n, err)
		}
	}
}

func TestPCM16RoundTripIsExact(t *testing.T) {
	for v := math.MinInt16; v <= math.MaxInt16; v++ {
		b := []byte{byte(v), byte(v >> 8)}
		if got := codec.AppendPCM16(nil, unpack(t, codec.LayoutS16, 1, b)); !bytes.Equal(got, b) {
			t.Fatalf("%x becomes %x", b, got)
		}
	}
}

func TestToPCM16Clips(t *testing.T) {
	for in, want := range map[float32]int16{
		1: 32767, 2: 32767, -1: -32768, -2: -32768, 0.5: 16384, float32(math.Inf(1)): 32767, 1.6 / 32768: 2,
	} {
		if got := codec.ToPCM16(in); got != want {
			t.Errorf("ToPCM16(%v) = %d, want %d", in, got, want)
		}
	}
	if got := codec.ToPCM16(float32(math.NaN())); got != 0 {
		t.Errorf("ToPCM16(NaN) = %d, want 0", got)
	}
}

func BenchmarkUnpack20ms(b *testing.B) {
	in := make([]byte, 640)
	for name, layout := range map[string]codec.Layout{"s16": codec.LayoutS16, "f32": codec.LayoutF32, "mulaw": codec.LayoutMuLaw} {
		b.Run(name, func(b *testing.B) {
			u, err := codec.NewUnpacker(layout, 1)
			if err != nil {
				b.Fatal(err)
			}
			out := make([]float32, 0, 640)
			b.ReportAllocs()
			for b.Loop() {
				out = u.Unpack(out[:0], in)
			}
		})
	}
}
