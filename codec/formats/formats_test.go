package formats_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/container"
	"parley/codec/formats"
	"parley/codec/opus"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "container", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newDecoder(t testing.TB, f codec.Format, rate int) codec.Decoder {
	t.Helper()
	d, err := formats.NewDecoder(f, rate)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decode gives b in pieces, all at once where rng is nil.
func decode(d codec.Decoder, b []byte, rng *rand.Rand) (pcm []float32, err error) {
	for len(b) > 0 && err == nil {
		n := len(b)
		if rng != nil {
			n = min(n, rng.IntN(3000))
		}
		pcm, err = d.Decode(pcm, b[:n])
		b = b[n:]
	}
	if err != nil {
		return pcm, err
	}
	return d.Flush(pcm)
}

// encode gives the payloads of all samples.
func encode(t testing.TB, f codec.Format, rate int, pcm []float32) (packets []codec.Packet) {
	t.Helper()
	e, err := formats.NewEncoder(f, rate)
	if err != nil {
		t.Fatal(err)
	}
	keep := func(p codec.Packet) error {
		packets = append(packets, p)
		return nil
	}
	if err := e.Encode(pcm, keep); err != nil {
		t.Fatal(err)
	}
	if err := e.Flush(keep); err != nil {
		t.Fatal(err)
	}
	return packets
}

func join(packets []codec.Packet) []byte {
	var b []byte
	for _, p := range packets {
		b = append(b, p.Payload...)
	}
	return b
}

// Every file, declared or sniffed, becomes the same speech with the right
// length at any rate, whatever pieces it comes in.
func TestFilesDecode(t *testing.T) {
	jfk := codectest.WAV(t)
	original, err := decode(newDecoder(t, codec.Format{Encoding: codec.WAV}, 16000), jfk, nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for _, tc := range []struct {
		name string
		in   []byte
		is   codec.Encoding
		at   time.Duration // where in the speech it begins
		long time.Duration
	}{
		{"jfk.wav", jfk, codec.WAV, 0, 11 * time.Second},
		{"opusenc.opus", file(t, "opusenc.opus"), codec.OggOpus, 200 * time.Millisecond, 2345 * time.Millisecond},
		{"ffmpeg.opus", file(t, "ffmpeg.opus"), codec.OggOpus, 200 * time.Millisecond, 2345 * time.Millisecond},
		{"ffmpeg.webm", file(t, "ffmpeg.webm"), codec.WebMOpus, 200 * time.Millisecond, 2345 * time.Millisecond},
		{"live.webm", file(t, "live.webm"), codec.WebMOpus, 200 * time.Millisecond, 2345 * time.Millisecond},
		{"chrome.webm", file(t, "chrome.webm"), codec.WebMOpus, -1, 2460 * time.Millisecond},
	} {
		for _, rate := range []int{16000, 22050, 48000} {
			t.Run(fmt.Sprintf("%s at %d", tc.name, rate), func(t *testing.T) {
				want, err := decode(newDecoder(t, codec.Format{Encoding: tc.is}, rate), tc.in, nil)
				if err != nil {
					t.Fatal(err)
				}
				if n := codec.Samples(tc.long, rate); len(want) < n || len(want) > n+1 {
					t.Errorf("%d samples, want %d", len(want), n)
				}
				got, err := decode(newDecoder(t, codec.Format{Encoding: codec.Auto}, rate), tc.in, rng)
				if err != nil || !slices.Equal(want, got) {
					t.Errorf("sniffed in pieces: %d samples, %v; want the same %d", len(got), err, len(want))
				}
				from := codec.Samples(max(tc.at, 0), 16000)
				c := codectest.Correlation(codectest.Envelope(original[from:], 16000), codectest.Envelope(want, rate))
				if tc.at >= 0 && c < 0.98 {
					t.Errorf("envelope correlates by %.3f with the speech", c)
				}
			})
		}
	}
}

// What the encoder makes, the decoder of the same format turns back.
func TestRoundTrips(t *testing.T) {
	pcm, err := decode(newDecoder(t, codec.Format{Encoding: codec.WAV}, 16000), codectest.WAV(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	pcm = pcm[:3*16000+77]
	for _, enc := range []codec.Encoding{codec.PCM16, codec.PCMFloat, codec.MuLaw, codec.ALaw} {
		for _, rate := range []int{8000, 11025, 16000, 24000, 48000} {
			for _, channels := range []int{1, 2} {
				f := codec.Format{Encoding: enc, Rate: rate, Channels: channels}
				packets := encode(t, f, 16000, pcm)
				var media time.Duration
				for _, p := range packets {
					media += p.Duration
				}
				if off := media - codec.Duration(len(pcm), 16000); off.Abs() > time.Millisecond {
					t.Errorf("%+v: packets cover %v", f, media)
				}
				got, err := decode(newDecoder(t, f, 16000), join(packets), rand.New(rand.NewPCG(8, 8)))
				if err != nil {
					t.Fatal(err)
				}
				if d := len(got) - len(pcm); d < -1 || d > 1 {
					t.Errorf("%+v: %d samples, want %d", f, len(got), len(pcm))
				}
				if c := codectest.Correlation(codectest.Envelope(pcm, 16000), codectest.Envelope(got, 16000)); c < 0.99 {
					t.Errorf("%+v: envelopes correlate by %.4f", f, c)
				}
			}
		}
	}
}

func TestPayloadsAre20ms(t *testing.T) {
	for _, tc := range []struct {
		f    codec.Format
		size int
	}{
		{codec.Format{Encoding: codec.PCM16, Rate: 16000, Channels: 1}, 640},
		{codec.Format{Encoding: codec.PCM16, Rate: 24000, Channels: 2}, 1920},
		{codec.Format{Encoding: codec.MuLaw, Rate: 8000, Channels: 1}, 160},
		{codec.Format{Encoding: codec.PCMFloat, Rate: 48000, Channels: 1}, 3840},
	} {
		packets := encode(t, tc.f, 22050, make([]float32, 22050))
		for i, p := range packets {
			if len(p.Payload) != tc.size || p.Duration != 20*time.Millisecond {
				t.Errorf("%+v: payload %d has %d bytes, %v", tc.f, i, len(p.Payload), p.Duration)
			}
		}
		if len(packets) != 50 {
			t.Errorf("%+v: %d payloads", tc.f, len(packets))
		}
	}
}

// Encoder, Ogg writer and reader together give back exactly what went in.
func TestOggKeepsTheLength(t *testing.T) {
	for _, n := range []int{1, 319, 320, 321, 16000, 16000 + 217, 50000} {
		var buf bytes.Buffer
		w, err := container.NewOggWriter(&buf, 16000, opus.Lookahead, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range encode(t, codec.Format{Encoding: codec.Opus, Rate: 16000, Channels: 1}, 16000, make([]float32, n)) {
			if err := w.WritePacket(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := decode(newDecoder(t, codec.Format{Encoding: codec.Auto}, 16000), buf.Bytes(), nil)
		if err != nil || len(got) != n {
			t.Errorf("%d samples became %d, %v", n, len(got), err)
		}
	}
}

func TestOpusPackets(t *testing.T) {
	f := codec.Format{Encoding: codec.Opus, Rate: 48000, Channels: 2}
	d := newDecoder(t, f, 16000)
	var pcm []float32
	for _, p := range encode(t, f, 22050, make([]float32, 22050)) {
		var err error
		if pcm, err = d.Decode(pcm, p.Payload); err != nil {
			t.Fatal(err)
		}
	}
	if len(pcm) < 16000 || len(pcm) > 16640 {
		t.Errorf("%d samples", len(pcm))
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tc := range []struct {
		f    codec.Format
		rate int
		says string
	}{
		{codec.Format{Encoding: "mp3"}, 16000, `codec "mp3"`},
		{codec.Format{Encoding: codec.PCM16, Rate: 4000, Channels: 1}, 16000, "rate 4000"},
		{codec.Format{Encoding: codec.PCM16, Rate: 16000, Channels: 3}, 16000, "3 channels"},
		{codec.Format{Encoding: codec.PCM16, Rate: 16000, Channels: 1}, 96000, "rate 96000"},
		{codec.Format{Encoding: codec.Opus, Rate: 16000, Channels: 1}, 100, "rate 100"},
	} {
		if _, err := formats.NewDecoder(tc.f, tc.rate); !errors.Is(err, codec.ErrUnsupported) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("decoder %+v at %d: error %v, want ErrUnsupported with %q", tc.f, tc.rate, err, tc.says)
		}
		if _, err := formats.NewEncoder(tc.f, tc.rate); !errors.Is(err, codec.ErrUnsupported) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("encoder %+v at %d: error %v, want ErrUnsupported with %q", tc.f, tc.rate, err, tc.says)
		}
	}
	for _, enc := range []codec.Encoding{codec.OggOpus, codec.WebMOpus, codec.WAV, codec.Auto} {
		if _, err := formats.NewEncoder(codec.Format{Encoding: enc}, 16000); !errors.Is(err, codec.ErrUnsupported) {
			t.Errorf("encoder %s: error %v, want ErrUnsupported", enc, err)
		}
	}
}

func BenchmarkDecode20ms(b *testing.B) {
	for _, f := range []codec.Format{
		{Encoding: codec.PCM16, Rate: 16000, Channels: 1},
		{Encoding: codec.PCM16, Rate: 48000, Channels: 2},
		{Encoding: codec.MuLaw, Rate: 8000, Channels: 1},
		{Encoding: codec.Opus, Rate: 48000, Channels: 1},
	} {
		b.Run(fmt.Sprintf("%s %d", f.Encoding, f.Rate), func(b *testing.B) {
			payload := encode(b, f, 16000, make([]float32, 1600))[2].Payload
			d := newDecoder(b, f, 16000)
			var pcm []float32
			var err error
			b.ReportAllocs()
			for b.Loop() {
				if pcm, err = d.Decode(pcm[:0], payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode20ms(b *testing.B) {
	for _, f := range []codec.Format{
		{Encoding: codec.PCM16, Rate: 24000, Channels: 1},
		{Encoding: codec.MuLaw, Rate: 8000, Channels: 1},
		{Encoding: codec.Opus, Rate: 24000, Channels: 1},
	} {
		b.Run(string(f.Encoding), func(b *testing.B) {
			e, err := formats.NewEncoder(f, 16000)
			if err != nil {
				b.Fatal(err)
			}
			pcm := make([]float32, 320)
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Encode(pcm, func(codec.Packet) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
