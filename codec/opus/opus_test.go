package opus_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/opus"
)

var (
	_ codec.Decoder = (*opus.Decoder)(nil)
	_ codec.Encoder = (*opus.Encoder)(nil)
)

func encode(t testing.TB, c opus.Config, pcm []float32) []codec.Packet {
	t.Helper()
	e, err := opus.NewEncoder(c)
	if err != nil {
		t.Fatal(err)
	}
	var packets []codec.Packet
	collect := func(p codec.Packet) error {
		packets = append(packets, p)
		return nil
	}
	if err := e.Encode(pcm, collect); err != nil {
		t.Fatal(err)
	}
	if err := e.Flush(collect); err != nil {
		t.Fatal(err)
	}
	return packets
}

func newDecoder(t testing.TB, rate int) *opus.Decoder {
	t.Helper()
	d, err := opus.NewDecoder(rate)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decode(t testing.TB, rate int, packets []codec.Packet) []float32 {
	t.Helper()
	d := newDecoder(t, rate)
	var pcm []float32
	var err error
	for _, p := range packets {
		if pcm, err = d.Decode(pcm, p.Payload); err != nil {
			t.Fatal(err)
		}
	}
	if pcm, err = d.Flush(pcm); err != nil {
		t.Fatal(err)
	}
	return pcm
}

// Speech keeps its envelope through every pair of rates, without libopus'
// delay adding up and with the media time told by the packets.
func TestSpeechSurvives(t *testing.T) {
	pcm := codectest.Speech(t)[:3*codec.SpeechRate]
	for _, rate := range []int{8000, 12000, 16000, 24000, 48000} {
		for _, out := range []int{8000, 16000, 22050, 44100, 48000} {
			t.Run(fmt.Sprintf("%d to %d", rate, out), func(t *testing.T) {
				packets := encode(t, opus.Config{SourceRate: codec.SpeechRate, Rate: rate}, pcm)
				var media time.Duration
				for _, p := range packets {
					media += p.Duration
				}
				if media != 3*time.Second {
					t.Errorf("packets cover %v, want 3s", media)
				}
				got := decode(t, out, packets)
				skip := codec.Samples(opus.Lookahead, out)
				if len(got) < skip+3*out {
					t.Fatalf("%d samples, want at least %d", len(got), skip+3*out)
				}
				if c := codectest.Correlation(codectest.Envelope(pcm, codec.SpeechRate), codectest.Envelope(got[skip:], out)); c < 0.97 {
					t.Errorf("envelopes correlate by %.3f, want 0.97", c)
				}
			})
		}
	}
}

func TestSourceRates(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 24000, 44100, 47999, 48000} {
		pcm := make([]float32, rate/2+7)
		for i := range pcm {
			pcm[i] = float32(0.5 * math.Sin(2*math.Pi*440*float64(i)/float64(rate)))
		}
		packets := encode(t, opus.Config{SourceRate: rate, Rate: 48000}, pcm)
		var media time.Duration
		for _, p := range packets {
			media += p.Duration
		}
		if diff := media - codec.Duration(len(pcm), rate); diff.Abs() > 50*time.Microsecond {
			t.Errorf("%d Hz: packets cover %v, off by %v", rate, media, diff)
		}
	}
}

// How samples are cut into calls does not change a single packet.
func TestEncoderIgnoresHowSamplesAreCut(t *testing.T) {
	pcm := codectest.Speech(t)[:codec.SpeechRate]
	rng := rand.New(rand.NewPCG(4, 4))
	want := encode(t, opus.Config{SourceRate: codec.SpeechRate, Rate: 24000}, pcm)
	e, err := opus.NewEncoder(opus.Config{SourceRate: codec.SpeechRate, Rate: 24000})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	check := func(p codec.Packet) error {
		if string(p.Payload) != string(want[n].Payload) || p.Duration != want[n].Duration {
			return fmt.Errorf("packet %d differs", n)
		}
		n++
		return nil
	}
	for len(pcm) > 0 {
		k := min(rng.IntN(1000), len(pcm))
		if err := e.Encode(pcm[:k], check); err != nil {
			t.Fatal(err)
		}
		pcm = pcm[k:]
	}
	for range 2 { // the second has nothing left to emit
		if err := e.Flush(check); err != nil {
			t.Fatal(err)
		}
	}
	if n != len(want) {
		t.Errorf("%d packets, want %d", n, len(want))
	}
}

func TestEncoderReturnsTheErrorOfEmit(t *testing.T) {
	e, err := opus.NewEncoder(opus.Config{SourceRate: 16000})
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	if err := e.Encode(make([]float32, 320), func(codec.Packet) error { return gone }); err != gone {
		t.Errorf("error %v, want %v", err, gone)
	}
}

func TestConfigValidate(t *testing.T) {
	for _, c := range []opus.Config{
		{}, {SourceRate: 4000}, {SourceRate: 96000}, {SourceRate: 16000, Rate: 44100}, {SourceRate: 16000, Rate: -1},
		{SourceRate: 16000, Bitrate: 100}, {SourceRate: 16000, Bitrate: 1e6}, {SourceRate: 16000, Loss: 101},
		{SourceRate: 16000, Complexity: 11},
	} {
		if _, err := opus.NewEncoder(c); !errors.Is(err, codec.ErrUnsupported) {
			t.Errorf("%+v: error %v, want ErrUnsupported", c, err)
		}
	}
}

func TestBitrateIsKept(t *testing.T) {
	pcm := codectest.Speech(t)
	for _, want := range []int{12000, 24000, 64000} {
		size := 0
		for _, p := range encode(t, opus.Config{SourceRate: codec.SpeechRate, Bitrate: want}, pcm) {
			size += len(p.Payload)
		}
		if got := float64(size) * 8 / 11; got > 1.15*float64(want) {
			t.Errorf("%.0f bit/s, want %d", got, want)
		}
	}
}

func TestNewDecoderRefusesRates(t *testing.T) {
	for _, rate := range []int{0, 7999, 48001} {
		if _, err := opus.NewDecoder(rate); !errors.Is(err, codec.ErrUnsupported) {
			t.Errorf("%d Hz: error %v, want ErrUnsupported", rate, err)
		}
	}
}

func BenchmarkDecode20ms(b *testing.B) {
	packets := encode(b, opus.Config{SourceRate: codec.SpeechRate}, codectest.Speech(b)[:2*codec.SpeechRate])
	for _, rate := range []int{16000, 22050, 48000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			d := newDecoder(b, rate)
			var pcm []float32
			var err error
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if pcm, err = d.Decode(pcm[:0], packets[i%len(packets)].Payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode20ms(b *testing.B) {
	pcm := codectest.Speech(b)
	for _, rate := range []int{16000, 24000, 48000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			e, err := opus.NewEncoder(opus.Config{SourceRate: codec.SpeechRate, Rate: rate})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i % 500 * 320
				if err := e.Encode(pcm[at:at+320], func(codec.Packet) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
