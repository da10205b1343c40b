package opus_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	libopus "gopkg.in/hraban/opus.v2"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/opus"
)

// packetOf makes one packet of the given length and channels with libopus.
func packetOf(t testing.TB, d time.Duration, channels int) []byte {
	t.Helper()
	app := libopus.AppVoIP
	if d < 10*time.Millisecond {
		app = libopus.AppRestrictedLowdelay
	}
	e, err := libopus.NewEncoder(48000, channels, app)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]float32, codec.Samples(d, 48000)*channels)
	for i := range pcm {
		pcm[i] = float32(i%100)/100 - 0.5
	}
	buf := make([]byte, codec.MaxOpusPacket)
	n, err := e.EncodeFloat32(pcm, buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestDecoderTakesEveryDuration(t *testing.T) {
	const ms = time.Millisecond
	for _, want := range []time.Duration{2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms, 40 * ms, 60 * ms, 80 * ms, 100 * ms, 120 * ms} {
		for _, channels := range []int{1, 2} {
			p := packetOf(t, want, channels)
			if got, err := opus.PacketDuration(p); err != nil || got != want {
				t.Errorf("%v, %d channels: duration %v, %v", want, channels, got, err)
			}
			for _, rate := range []int{8000, 12000, 16000, 24000, 48000} {
				pcm, err := newDecoder(t, rate).Decode(nil, p)
				if err != nil || len(pcm) != codec.Samples(want, rate) {
					t.Errorf("%v, %d channels at %d Hz: %d samples, %v", want, channels, rate, len(pcm), err)
				}
			}
		}
	}
}

// A bad packet names its fault and costs nothing but itself.
func TestDecoderRefusesBadPacketsAndGoesOn(t *testing.T) {
	good := packetOf(t, 20*time.Millisecond, 1)
	d := newDecoder(t, 16000)
	for _, tc := range []struct {
		reason string
		in     []byte
	}{
		{"no bytes", nil},
		{"frame count 0", []byte{0xff, 0}},
		{"49 frames", append([]byte{0x83, 49}, make([]byte, 49)...)},
		{"at most 7662", make([]byte, 8000)},
		{"frame of 1276 bytes", append([]byte{0xf8}, make([]byte, 1276)...)},
	} {
		pcm, err := d.Decode(make([]float32, 3), tc.in)
		if !errors.Is(err, codec.ErrMalformed) || !strings.Contains(err.Error(), tc.reason) || len(pcm) != 3 {
			t.Errorf("%d samples, error %v; want 3 and ErrMalformed with %q", len(pcm), err, tc.reason)
		}
		if pcm, err := d.Decode(nil, good); err != nil || len(pcm) != 320 {
			t.Errorf("after %q: %d samples, %v", tc.reason, len(pcm), err)
		}
	}
}

func rms(pcm []float32) float64 { return codectest.Envelope(pcm, 50*len(pcm))[0] }

// distance is the energy of the difference over that of the signal.
func distance(want, got []float32) (d float64) {
	var diff, ref float64
	for i := range want {
		diff += float64(want[i]-got[i]) * float64(want[i]-got[i])
		ref += float64(want[i]) * float64(want[i])
	}
	return diff / ref
}

// One frame in ten is lost: with the packet after the gap the frame comes back
// far closer to the original than by extrapolation.
func TestConcealUsesErrorCorrection(t *testing.T) {
	packets := encode(t, opus.Config{SourceRate: codec.SpeechRate, Loss: 30, Bitrate: 40000}, codectest.Speech(t)[:4*codec.SpeechRate])
	whole := decode(t, codec.SpeechRate, packets)
	run := func(correct bool) []float32 {
		d := newDecoder(t, codec.SpeechRate)
		var pcm []float32
		for i, p := range packets[:len(packets)-1] {
			var err error
			switch {
			case i%10 == 9 && correct:
				pcm, err = d.Conceal(pcm, 320, packets[i+1].Payload)
			case i%10 == 9:
				pcm, err = d.Conceal(pcm, 320, nil)
			default:
				pcm, err = d.Decode(pcm, p.Payload)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return pcm
	}
	corrected, guessed := run(true), run(false)
	if len(corrected) != len(guessed) {
		t.Fatalf("%d samples with correction, %d without", len(corrected), len(guessed))
	}
	whole = whole[:len(corrected)]
	if c, g := distance(whole, corrected), distance(whole, guessed); c > 0.5*g {
		t.Errorf("distance %.3f with correction, %.3f without", c, g)
	}
}

func TestConcealFillsExactly(t *testing.T) {
	packets := encode(t, opus.Config{SourceRate: codec.SpeechRate}, codectest.Speech(t)[:2*codec.SpeechRate])
	for _, rate := range []int{8000, 16000, 48000} {
		for _, n := range []int{-5, 0, 1, 7, rate / 400, rate/400 + 1, rate / 50, rate / 10, rate, 3*rate + 11} {
			for _, next := range [][]byte{nil, packets[31].Payload, packetOf(t, 60*time.Millisecond, 2), packetOf(t, 2500*time.Microsecond, 1)} {
				d := newDecoder(t, rate)
				for _, p := range packets[:30] {
					if _, err := d.Decode(nil, p.Payload); err != nil {
						t.Fatal(err)
					}
				}
				pcm, err := d.Conceal(make([]float32, 2), n, next)
				if err != nil || len(pcm) != 2+max(n, 0) {
					t.Errorf("%d Hz: %d samples for a gap of %d, next %d bytes: %v", rate, len(pcm)-2, n, len(next), err)
				}
			}
		}
	}
}

// A gap is extrapolated without a click and has faded before the limit.
func TestConcealFadesToSilence(t *testing.T) {
	packets := encode(t, opus.Config{SourceRate: codec.SpeechRate}, codectest.Speech(t)[:2*codec.SpeechRate])
	loudest := 0
	for i, level := range codectest.Envelope(decode(t, codec.SpeechRate, packets), codec.SpeechRate)[:80] {
		if i == 0 || level > 0.1 {
			loudest = i
		}
	}
	d := newDecoder(t, codec.SpeechRate)
	var pcm []float32
	var err error
	for _, p := range packets[:loudest+1] {
		if pcm, err = d.Decode(pcm, p.Payload); err != nil {
			t.Fatal(err)
		}
	}
	from := len(pcm)
	if pcm, err = d.Conceal(pcm, codec.SpeechRate, nil); err != nil {
		t.Fatal(err)
	}
	before, gap := rms(pcm[from-320:from]), pcm[from:]
	if first := rms(gap[:320]); first < before/4 {
		t.Errorf("level falls from %.4f to %.4f at once", before, first)
	}
	if late := rms(gap[2880:3200]); late > before/20 {
		t.Errorf("level is still %.4f after 180 ms, was %.4f", late, before)
	}
	if slices.Max(gap[3200:]) != 0 {
		t.Error("no silence after 200 ms")
	}
}

func TestConcealBeforeTheFirstPacket(t *testing.T) {
	pcm, err := newDecoder(t, 16000).Conceal(nil, 1600, nil)
	if err != nil || len(pcm) != 1600 || slices.Max(pcm) != 0 {
		t.Errorf("%d samples up to %v, %v; want silence", len(pcm), slices.Max(pcm), err)
	}
}

func TestConcealKeepsTimeThroughAResampler(t *testing.T) {
	const rate = 22050
	packets := encode(t, opus.Config{SourceRate: codec.SpeechRate}, codectest.Speech(t)[:2*codec.SpeechRate])
	d := newDecoder(t, rate)
	var pcm []float32
	var err error
	for i, p := range packets {
		if i%7 == 3 {
			pcm, err = d.Conceal(pcm, rate/50, p.Payload)
		} else {
			pcm, err = d.Decode(pcm, p.Payload)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if pcm, err = d.Flush(pcm); err != nil {
		t.Fatal(err)
	}
	if want := len(packets) * rate / 50; len(pcm) < want-1 || len(pcm) > want+1 {
		t.Errorf("%d samples, want %d", len(pcm), want)
	}
}

func TestConcealRefuses(t *testing.T) {
	d := newDecoder(t, 16000)
	if _, err := d.Conceal(nil, 16000*61, nil); !errors.Is(err, codec.ErrMalformed) || !strings.Contains(err.Error(), "gap of 1m1s") {
		t.Errorf("61 s: error %v", err)
	}
	if _, err := d.Conceal(nil, 320, []byte{0xff, 0}); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("bad packet after the gap: error %v", err)
	}
}

func TestDecoderReset(t *testing.T) {
	packets := encode(t, opus.Config{SourceRate: codec.SpeechRate}, codectest.Speech(t)[:codec.SpeechRate])
	want := decode(t, 16000, packets)
	d := newDecoder(t, 16000)
	for _, p := range packets[10:30] {
		if _, err := d.Decode(nil, p.Payload); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Reset(); err != nil {
		t.Fatal(err)
	}
	var got []float32
	var err error
	for _, p := range packets {
		if got, err = d.Decode(got, p.Payload); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(want, got) {
		t.Error("a Reset decoder differs from a new one")
	}
}
