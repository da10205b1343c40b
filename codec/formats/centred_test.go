package formats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/formats"
)

// TestCentredDecoder: the offset goes, the samples stay as many, and errors pass.
func TestCentredDecoder(t *testing.T) {
	speech := codectest.Speech(t)[:5*codec.SpeechRate]
	off := make([]float32, len(speech))
	for i, x := range speech {
		off[i] = x/2 + 0.4
	}
	for _, f := range []codec.Format{
		{Encoding: codec.PCM16, Rate: codec.SpeechRate, Channels: 1},
		{Encoding: codec.MuLaw, Rate: 8000, Channels: 1},
	} {
		var raw []byte
		for _, p := range encode(t, f, codec.SpeechRate, off) {
			raw = append(raw, p.Payload...)
		}
		plain, err := decode(newDecoder(t, f, codec.SpeechRate), raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := formats.NewCentredDecoder(f, codec.SpeechRate)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(d, raw, rand.New(rand.NewPCG(1, 2)))
		if err != nil || len(got) != len(plain) {
			t.Fatalf("%s: %d samples, %v; want %d", f.Encoding, len(got), err, len(plain))
		}
		var mean, wrong float64
		for i, x := range got[codec.SpeechRate:] {
			mean += float64(x) / float64(len(got))
			wrong = max(wrong, math.Abs(float64(x)-(float64(plain[codec.SpeechRate+i])-0.4)))
		}
		if math.Abs(mean) > 1e-3 || wrong > 0.05 {
			t.Errorf("%s: the mean is %g, the samples are off by up to %g", f.Encoding, mean, wrong)
		}
	}
	if _, err := formats.NewCentredDecoder(codec.Format{Encoding: "mp3"}, codec.SpeechRate); !errors.Is(err, codec.ErrUnsupported) {
		t.Errorf("mp3: %v", err)
	}
}

// TestCentredDecoderKeepsWhatWasThere: samples before the call are not touched.
func TestCentredDecoderKeepsWhatWasThere(t *testing.T) {
	d, err := formats.NewCentredDecoder(codec.Format{Encoding: codec.PCM16, Rate: codec.SpeechRate, Channels: 1}, codec.SpeechRate)
	if err != nil {
		t.Fatal(err)
	}
	pcm := []float32{0.5, 0.5}
	if pcm, err = d.Decode(pcm, []byte{0, 64, 0, 64, 0, 64}); err != nil {
		t.Fatal(err)
	}
	if pcm, err = d.Conceal(pcm, 16, nil); err != nil {
		t.Fatal(err)
	}
	if pcm, err = d.Flush(pcm); err != nil {
		t.Fatal(err)
	}
	if len(pcm) != 2+3+16 || pcm[0] != 0.5 || pcm[1] != 0.5 || pcm[2] != 0 || pcm[5] >= 0 {
		t.Errorf("%v", pcm)
	}
}
