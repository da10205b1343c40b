//go:build cgo

package silero

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"parley/vad"
	"parley/vad/onnx"
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
	if _, err := Open(); !errors.Is(err, onnx.ErrUnavailable) {
		return fail(fmt.Errorf("Open before Initialize = %v, want ErrUnavailable", err))
	}
	if err := onnx.Initialize(filepath.Join(native, "lib", "libonnxruntime.so.1")); err != nil {
		return fail(err)
	}
	code = m.Run()
	if err := onnx.Shutdown(); err != nil && code == 0 { // a test left a model or detector open
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
