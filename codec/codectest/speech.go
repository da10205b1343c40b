// Package codectest has what tests of audio share: a recording of real speech
// and measures that survive a lossy codec. It is for tests only.
package codectest

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/codec"
)

// Recording is the path of 11 s of real speech, a WAV of 16-bit mono samples at
// codec.SpeechRate, which the module of the whisper binding carries.
func Recording(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/ggerganov/whisper.cpp/bindings/go").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "samples", "jfk.wav")
}

// WAV is the recording as a file's bytes.
func WAV(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(Recording(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Speech is the recording as samples.
func Speech(t testing.TB) []float32 {
	t.Helper()
	u, err := codec.NewUnpacker(codec.LayoutS16, 1)
	if err != nil {
		t.Fatal(err)
	}
	wav := WAV(t)
	return u.Unpack(nil, wav[len(wav)-11*2*codec.SpeechRate:])
}

// Envelope is the level of each 20 ms, which survives a lossy codec.
func Envelope(pcm []float32, rate int) []float64 {
	var levels []float64
	for n := rate / 50; len(pcm) >= n; pcm = pcm[n:] {
		sum := 0.0
		for _, x := range pcm[:n] {
			sum += float64(x) * float64(x)
		}
		levels = append(levels, math.Sqrt(sum/float64(n)))
	}
	return levels
}

// Correlation is Pearson's, of as many values as both have.
func Correlation(a, b []float64) float64 {
	n := min(len(a), len(b))
	var sa, sb, saa, sbb, sab float64
	for i := range n {
		sa, sb = sa+a[i], sb+b[i]
		saa, sbb, sab = saa+a[i]*a[i], sbb+b[i]*b[i], sab+a[i]*b[i]
	}
	f := float64(n)
	return (f*sab - sa*sb) / math.Sqrt((f*saa-sa*sa)*(f*sbb-sb*sb))
}
