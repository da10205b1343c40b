package codec_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
)

func sine(n, rate int, hz float64) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = float32(0.8 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return pcm
}

func noise(rng *rand.Rand, n int) []float32 {
	pcm := make([]float32, n)
	for i := range pcm {
		pcm[i] = rng.Float32()*2 - 1
	}
	return pcm
}

func newResampler(t testing.TB, in, out int) *codec.Resampler {
	t.Helper()
	r, err := codec.NewResampler(in, out)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func energy(pcm []float32) (e float64) {
	for _, x := range pcm {
		e += float64(x) * float64(x)
	}
	return e
}

var rates = []int{8000, 11025, 16000, 24000, 37123, 44100, 48000}

// The output is the same sine at the other rate: nothing delayed, nothing
// louder, nothing added, in the middle of the stream.
func TestResamplerKeepsSineInBand(t *testing.T) {
	for _, in := range rates {
		for _, out := range rates {
			for _, part := range []float64{0.05, 0.4, 0.8} {
				hz := part * float64(min(in, out)) / 2
				t.Run(fmt.Sprintf("%d to %d at %.0f Hz", in, out, hz), func(t *testing.T) {
					r := newResampler(t, in, out)
					got := r.Flush(r.Process(nil, sine(in/10, in, hz)))
					want := sine(len(got), out, hz)
					edge := len(got) / 5
					diff := make([]float32, len(got)-2*edge)
					for i := range diff {
						diff[i] = got[edge+i] - want[edge+i]
					}
					snr := 10 * math.Log10(energy(want[edge:len(got)-edge])/energy(diff))
					if snr < 70 {
						t.Errorf("SNR %.1f dB, want 70", snr)
					}
				})
			}
		}
	}
}

func TestResamplerRejectsAliases(t *testing.T) {
	for _, tc := range []struct{ in, out int }{
		{48000, 16000}, {44100, 16000}, {24000, 16000}, {22050, 16000}, {16000, 8000}, {48000, 8000}, {47999, 16000},
	} {
		for _, part := range []float64{1.01, 1.3, 1.9} {
			hz := part * float64(tc.out) / 2
			if hz >= float64(tc.in)/2 {
				continue
			}
			r := newResampler(t, tc.in, tc.out)
			in := sine(tc.in/5, tc.in, hz)
			got := r.Flush(r.Process(nil, in))
			edge := len(got) / 5
			got = got[edge : len(got)-edge]
			gain := 10 * math.Log10(energy(got)/float64(len(got))/(energy(in)/float64(len(in))))
			if gain > -70 {
				t.Errorf("%d to %d: %.0f Hz comes back at %.1f dB, want below -70", tc.in, tc.out, hz, gain)
			}
		}
	}
}

func TestResamplerLengthIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		in, out := 8000+rng.IntN(40001), 8000+rng.IntN(40001)
		if rng.IntN(2) == 0 {
			in, out = rates[rng.IntN(len(rates))], rates[rng.IntN(len(rates))]
		}
		n := rng.IntN(3000)
		r := newResampler(t, in, out)
		for round := range 2 { // Flush leaves it ready for the next stream
			got := len(r.Flush(r.Process(nil, make([]float32, n))))
			if want := int(math.Floor(float64(n)*float64(out)/float64(in) + 0.5)); got != want {
				t.Fatalf("%d to %d, round %d: %d samples became %d, want %d", in, out, round, n, got, want)
			}
		}
	}
}

func TestResamplerIgnoresHowTheStreamIsCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 40 {
		in, out := rates[rng.IntN(len(rates))], rates[rng.IntN(len(rates))]
		pcm := noise(rng, rng.IntN(6000))
		whole, pieces := newResampler(t, in, out), newResampler(t, in, out)
		want := whole.Flush(whole.Process(nil, pcm))
		var got []float32
		for rest := pcm; len(rest) > 0; {
			n := min(rng.IntN(1+rng.IntN(2500)), len(rest))
			got = pieces.Process(got, rest[:n])
			rest = rest[n:]
		}
		got = pieces.Flush(got)
		if !slices.Equal(want, got) {
			t.Fatalf("%d to %d differs when cut:\n%s", in, out, cmp.Diff(want, got))
		}
	}
}

func TestResamplerHoldsBackLittle(t *testing.T) {
	for _, tc := range []struct{ in, out int }{{48000, 16000}, {8000, 16000}, {44100, 16000}, {16000, 48000}} {
		r := newResampler(t, tc.in, tc.out)
		got := len(r.Process(nil, make([]float32, tc.in)))
		low := min(tc.in, tc.out)
		if held := float64(tc.out-got) / float64(tc.out) * float64(low); held > 36 {
			t.Errorf("%d to %d holds back %.0f samples of %d Hz", tc.in, tc.out, held, low)
		}
	}
}

func TestResamplerPassesConstantsUnchanged(t *testing.T) {
	for _, in := range rates {
		r := newResampler(t, in, 16000)
		pcm := make([]float32, 4000)
		for i := range pcm {
			pcm[i] = 0.5
		}
		got := r.Process(nil, pcm)
		for i, x := range got[200:] {
			if math.Abs(float64(x)-0.5) > 1e-5 {
				t.Fatalf("%d to 16000: sample %d is %v, want 0.5", in, i+200, x)
			}
		}
	}
}

func TestNewResamplerRefusesRates(t *testing.T) {
	for _, tc := range []struct{ in, out int }{{0, 16000}, {7999, 16000}, {16000, 48001}, {-1, -1}, {192000, 16000}} {
		if _, err := codec.NewResampler(tc.in, tc.out); !errors.Is(err, codec.ErrUnsupported) {
			t.Errorf("%d to %d: error %v, want ErrUnsupported", tc.in, tc.out, err)
		}
	}
}

func TestResamplerDoesNotAllocate(t *testing.T) {
	r := newResampler(t, 48000, 16000)
	in, out := make([]float32, 960), make([]float32, 0, 400)
	if n := testing.AllocsPerRun(100, func() { out = r.Process(out[:0], in) }); n != 0 {
		t.Errorf("%v allocations a call, want none", n)
	}
}

func BenchmarkResample20ms(b *testing.B) {
	for _, tc := range []struct{ in, out int }{{48000, 16000}, {44100, 16000}, {22050, 48000}, {8000, 16000}, {47999, 16000}} {
		b.Run(fmt.Sprintf("%dto%d", tc.in, tc.out), func(b *testing.B) {
			r := newResampler(b, tc.in, tc.out)
			in := sine(tc.in/50, tc.in, 440)
			out := make([]float32, 0, tc.out/50+8)
			b.ReportAllocs()
			for b.Loop() {
				out = r.Process(out[:0], in)
			}
		})
	}
}
