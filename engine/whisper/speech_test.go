//go:build cgo

package whisper

import (
	"encoding/binary"
	"math"
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
