//go:build cgo

package whisper

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"parley/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bundled = "tinymodel/commands.en-q5_0.bin"

// load is the bundled model.
func load(t *testing.T, change ...func(*Config)) *Model {
	t.Helper()
	c := Config{Path: bundled, Backends: os.Getenv("PARLEY_GGML_BACKENDS"), Short: true}
	for _, f := range change {
		f(&c)
	}
	m, err := Load(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func open(t *testing.T, m *Model) *Slot {
	t.Helper()
	s, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// speak says a text by a program: a voice of flite, or "espeak".
func speak(t *testing.T, voice, text string) []float32 {
	t.Helper()
	out := filepath.Join(t.TempDir(), "speech.wav")
	cmd := exec.Command("flite", "-voice", voice, "-t", text, "-o", out)
	if voice == "espeak" {
		cmd = exec.Command("espeak-ng", "-v", "en-us", "-s", "150", "-w", out, text)
	}
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	raw, err := os.ReadFile(out)
	if err != nil || len(raw) < 44 {
		t.Fatalf("no speech: %v", err)
	}
	rate := float64(binary.LittleEndian.Uint32(raw[24:]))
	var pcm []float32
	for i := 44; i+1 < len(raw); i += 2 {
		pcm = append(pcm, float32(int16(binary.LittleEndian.Uint16(raw[i:])))/32768)
	}
	return around(resample(pcm, rate))
}

func resample(pcm []float32, rate float64) []float32 {
	out := make([]float32, int(float64(len(pcm)-1)*codec.SpeechRate/rate))
	for i := range out {
		x := float64(i) * rate / codec.SpeechRate
		k, f := int(x), float32(x-math.Floor(x))
		out[i] = pcm[k]*(1-f) + pcm[k+1]*f
	}
	return out
}

// around puts 200 ms of silence before and after.
func around(pcm []float32) []float32 {
	edge := make([]float32, codec.SpeechRate/5)
	return append(append(append([]float32(nil), edge...), pcm...), edge...)
}

// noises are sounds that are no speech.
func noises() map[string][]float32 {
	r := rand.New(rand.NewPCG(1, 2))
	low := 0.0
	kinds := map[string]func(i int) float64{
		"silence": func(int) float64 { return 0 },
		"hiss":    func(int) float64 { return 0.0003 * r.NormFloat64() },
		"white":   func(int) float64 { return 0.1 * r.NormFloat64() },
		"breath":  func(int) float64 { low = 0.98*low + 0.02*r.NormFloat64(); return low },
		"tone":    func(i int) float64 { return 0.2 * math.Sin(float64(i)*2*math.Pi*440/16000) },
		"hum": func(i int) float64 {
			x := float64(i) * 2 * math.Pi * 50 / 16000
			return 0.3*math.Sin(x) + 0.1*math.Sin(3*x)
		},
		"chord": func(i int) float64 {
			x := float64(i) * 2 * math.Pi / 16000
			return 0.1 * (math.Sin(262*x) + math.Sin(330*x) + math.Sin(392*x))
		},
		"clicks": func(i int) float64 {
			if i%4000 < 20 {
				return 0.3 * r.NormFloat64()
			}
			return 0
		},
	}
	out := make(map[string][]float32)
	for name, at := range kinds {
		for _, long := range []bool{false, true} {
			n := codec.SpeechRate * 4 / 5
			if long {
				n, name = 3*codec.SpeechRate, name+" long"
			}
			pcm := make([]float32, n)
			for i := range pcm {
				pcm[i] = float32(at(i))
			}
			out[name] = pcm
		}
	}
	return out
}

// errorsIn counts the words that differ, by edit distance, of n wanted.
func errorsIn(want, got string) (wrong, n int) {
	a, b := strings.Fields(strings.ToLower(want)), strings.Fields(got)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := []int{i + 1}
		for j := range b {
			swap := row[j]
			if a[i] != b[j] {
				swap++
			}
			next = append(next, min(swap, row[j+1]+1, next[j]+1))
		}
		row = next
	}
	return row[len(b)], len(a)
}

var domain = []string{
	"turn on the lights in the kitchen", "set a timer for ten minutes", "what is the weather tomorrow", "seven three five nine",
	"call Anna at home", "add milk and bread to the shopping list", "remind me to call Tom on Friday", "make the lamp blue",
	"set the volume to forty percent", "what time is it now", "open the window", "play the music",
	"good morning my name is David", "today is Monday June twelve", "twenty plus thirty is fifty", "where is the nearest station",
	"is the door in the garage open", "send a message to Maria", "yes please", "one two three four five six",
}
