//go:build cgo

package silero

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/vad"
)

// TestMain opens the library that set-up installed; without it there is nothing
// to test, and that is a failure.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, "vad/silero:", err)
		return 1
	}
	native := os.Getenv("PARLEY_NATIVE_DIR")
	if native == "" {
		return fail(fmt.Errorf("PARLEY_NATIVE_DIR is not set: run `make setup`, then `. .native/env`"))
	}
	if err := testBeforeInitialize(); err != nil {
		return fail(err)
	}
	if err := Initialize(filepath.Join(native, "lib", "libonnxruntime.so.1")); err != nil {
		return fail(err)
	}
	code = m.Run()
	if err := Shutdown(); err != nil && code == 0 { // a test left a model or detector open
		return fail(err)
	}
	return code
}

func open(t testing.TB) *Model {
	t.Helper()
	m, err := Open()
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

func detector(t testing.TB, m *Model) *Detector {
	t.Helper()
	d, err := m.NewDetector()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// probabilities runs whole frames of audio through a detector.
func probabilities(t testing.TB, d vad.Detector, audio []float32) []float32 {
	t.Helper()
	var ps []float32
	for ; len(audio) >= vad.FrameSize; audio = audio[vad.FrameSize:] {
		p, err := d.Probability(audio[:vad.FrameSize])
		if err != nil {
			t.Fatal(err)
		}
		if !(p >= 0 && p <= 1) {
			t.Fatalf("probability %v", p)
		}
		ps = append(ps, p)
	}
	return ps
}

// jfk is 11 s of real speech from the whisper module: 16 kHz mono, 16 bit.
func jfk(t testing.TB) []float32 {
	t.Helper()
	const module = "github.com/ggerganov/whisper.cpp/bindings/go"
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("where is the module %s? %v", module, err)
	}
	wav, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "samples", "jfk.wav"))
	if err != nil {
		t.Fatal(err)
	}
	for at := 12; at+8 <= len(wav); {
		size := int(binary.LittleEndian.Uint32(wav[at+4:]))
		if string(wav[at:at+4]) == "data" {
			return pcm16(wav[at+8 : at+8+size])
		}
		at += 8 + size + size%2
	}
	t.Fatal("jfk.wav has no data")
	return nil
}

func pcm16(b []byte) []float32 {
	audio := make([]float32, len(b)/2)
	for i := range audio {
		audio[i] = float32(int16(binary.LittleEndian.Uint16(b[2*i:]))) / 32768
	}
	return audio
}
