//go:build cgo

package whisper

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/codec/codectest"
	"parley/engine/models"
)

// exact says whether the library's compiler has no instruction that rounds a
// product and a sum at once: then ours makes the same numbers.
const exact = runtime.GOARCH == "amd64"

// row is the logits of a decode's first token.
func row(t testing.TB, s *state, g *guess) []float32 {
	t.Helper()
	g.threads, g.most = 1, 1
	g.logits = make([]float32, len(s.w.banned))
	if _, _, err := s.guess(context.Background(), g); err != nil {
		t.Fatal(err)
	}
	return g.logits
}

// distance is the largest difference between two rows.
func distance(a, b []float32) float64 {
	most := 0.0
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); d > most || math.IsNaN(d) && a[i] != b[i] {
			most = d
		}
	}
	return most
}

// TestSpectrumIsTheLibrarys gives the encoder our spectrogram and the library's
// own and compares what the decoder makes of it.
func TestSpectrumIsTheLibrarys(t *testing.T) {
	speech := codectest.Speech(t)
	loud := make([]float32, 4*codec.SpeechRate)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range loud {
		loud[i] = float32(max(-1, min(1, 2*r.NormFloat64())))
	}
	for name, path := range map[string]string{"80 bands": bundled, "128 bands": randomModel(t, 128)} {
		m := load(t, func(c *Config) { c.Path = path })
		s := open(t, m)
		for what, pcm := range map[string][]float32{
			"10 s": speech[:10*codec.SpeechRate], "an odd number": speech[1234:45679], "1 s": speech[:codec.SpeechRate],
			"110 ms, the least the library takes": speech[20000:21760], "silence": make([]float32, codec.SpeechRate), "quiet": scaledBy(speech[:70000], 1e-4), "noise": loud,
		} {
			encoders := []int{256}
			if len(pcm) > 5*codec.SpeechRate {
				encoders = []int{512, 0}
			}
			for _, encoder := range encoders {
				st := s.state(encoder)
				theirs := row(t, st, &guess{pcm: pcm, encoder: encoder})
				ours := row(t, st, &guess{pcm: pcm, encoder: encoder, spectrum: &spectrum{filters: m.weights.filters}})
				if d := distance(ours, theirs); d > 0 && exact || d > 0.01 || math.IsNaN(d) {
					t.Errorf("%s, %s, encoder of %d: logits differ by %v", name, what, encoder, d)
				}
			}
		}
	}
}

func scaledBy(pcm []float32, gain float32) []float32 {
	out := make([]float32, len(pcm))
	for i, x := range pcm {
		out[i] = gain * x
	}
	return out
}

// TestSpectrumGrows: however the audio comes, it is the spectrogram of all of it.
func TestSpectrumGrows(t *testing.T) {
	rows, err := models.Filters(bundled)
	if err != nil {
		t.Fatal(err)
	}
	f := newFilters(rows)
	pcm := codectest.Speech(t)
	r := rand.New(rand.NewPCG(7, 8))
	whole := func(n int) []float32 { return (&spectrum{filters: f}).scaled(pcm[:n], 1400) }
	for _, least := range []int{1, 50, 1000, 40000} {
		grown := spectrum{filters: f}
		n := 0
		for range 8 {
			n += 1 + r.IntN(least)
			if got, want := grown.scaled(pcm[:n], 1400), whole(n); !slices.Equal(want, got) {
				t.Fatalf("in steps up to %d it differs at %d samples by %v", least, n, distance(want, got))
			}
		}
		if got, want := grown.scaled(pcm[:n/2], 1400), whole(n/2); !slices.Equal(want, got) {
			t.Errorf("back at %d samples it differs by %v", n/2, distance(want, got))
		}
	}
	if long := (&spectrum{filters: f}).scaled(pcm[:3*codec.SpeechRate], 512); len(long) != 80*512 || long[100] == long[400] || long[400] != long[511] {
		t.Errorf("3 s in a window of 5 s: speech %v, then %v and %v", long[100], long[400], long[511])
	}
}

func TestFilterSpans(t *testing.T) {
	f := newFilters([][]float32{make([]float32, models.Bins), {5: 1, 9: 1, models.Bins - 1: 1}, {199: 1, models.Bins - 1: 0}})
	if d := cmp.Diff([]int32{200, 0, 4, 12, 196, 200}, f.spans); d != "" {
		t.Error(d)
	}
}

func TestNoFilters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cut.bin")
	head, err := os.ReadFile(bundled)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, head[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openWeights(path, false, 0, true); err == nil {
		t.Error("a model without filters was opened")
	}
}
