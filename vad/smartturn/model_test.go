//go:build cgo

package smartturn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"parley/codec/codectest"
	"parley/vad/onnx"
	"parley/vad/onnx/onnxtest"
)

func TestMain(m *testing.M) {
	native := os.Getenv("PARLEY_NATIVE_DIR")
	if native == "" {
		fmt.Fprintln(os.Stderr, "vad/smartturn: PARLEY_NATIVE_DIR is not set: run `make setup`, then `. .native/env`")
		os.Exit(1)
	}
	if _, err := Open("testdata/features.json"); !errors.Is(err, onnx.ErrUnavailable) {
		fmt.Fprintln(os.Stderr, "vad/smartturn: Open before Initialize:", err)
		os.Exit(1)
	}
	if err := onnx.Initialize(filepath.Join(native, "lib", "libonnxruntime.so.1")); err != nil {
		fmt.Fprintln(os.Stderr, "vad/smartturn:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := onnx.Shutdown(); err != nil && code == 0 { // a test left a model open
			fmt.Fprintln(os.Stderr, "vad/smartturn:", err)
			code = 1
		}
		os.Exit(code)
	}))
}

// file writes a network where Open finds it.
func file(t testing.TB, network []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "turn.onnx")
	if err := os.WriteFile(path, network, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, g onnxtest.Graph) *Model {
	t.Helper()
	m, err := Open(file(t, g.Bytes()))
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

// foreseen is what the network of onnxtest answers.
func foreseen(audio []float32) float64 {
	var mean float64
	for _, x := range compute(audio) {
		mean += float64(x) / (bands * frames)
	}
	return 1 / (1 + math.Exp(-mean))
}

func TestProbability(t *testing.T) {
	m := open(t, onnxtest.Turn())
	speech := codectest.Speech(t)
	for name, audio := range map[string][]float32{
		"one sample":  {0.5},
		"silence":     make([]float32, 16000),
		"1 s":         speech[:16000],
		"8 s":         speech[:Window],
		"11 s":        speech,
		"not numbers": {float32(math.NaN()), float32(math.Inf(-1)), 0.1},
	} {
		got, err := m.Probability(t.Context(), audio)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := foreseen(audio); math.Abs(got-want) > 1e-4 {
			t.Errorf("%s: %.5f, want %.5f", name, got, want)
		}
	}
	if _, err := m.Probability(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no audio") {
		t.Errorf("without audio: %v", err)
	}
}

// TestSignaturesThatFit: dimensions may be fixed or open, the output may have any
// name and one dimension.
func TestSignaturesThatFit(t *testing.T) {
	fixed := onnxtest.Turn()
	fixed.Inputs[0].Dims[0], fixed.Outputs[0].Dims[0] = 1, 1
	flat := onnxtest.Turn()
	flat.Nodes[0].Int["keepdims"] = 0
	flat.Nodes = []onnxtest.Node{flat.Nodes[0], {Op: "Sigmoid", Inputs: []string{"mean"}, Outputs: []string{"probability"}}}
	flat.Outputs = []onnxtest.Value{{Name: "probability", Type: onnxtest.Float32, Dims: []int64{onnxtest.Any}}}
	audio := codectest.Speech(t)[:32000]
	for name, g := range map[string]onnxtest.Graph{"fixed": fixed, "flat": flat} {
		if got, err := open(t, g).Probability(t.Context(), audio); err != nil || math.Abs(got-foreseen(audio)) > 1e-4 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	change := func(f func(*onnxtest.Graph)) []byte {
		g := onnxtest.Turn()
		f(&g)
		return g.Bytes()
	}
	whole := onnxtest.Turn().Bytes()
	for _, c := range []struct {
		name    string
		network []byte
		says    []string
	}{
		{"empty", nil, []string{"empty"}},
		{"garbage", []byte("RIFF....WAVEfmt "), []string{"not a network"}},
		{"cut short", whole[:len(whole)-9], []string{"not a network"}},
		{"other name", change(func(g *onnxtest.Graph) {
			g.Inputs[0].Name, g.Nodes[0].Inputs[0] = "input", "input"
		}), []string{"wrong input", "takes input_features float32 [n 80 800]", "takes input float32 [n 80 800]"}},
		{"30 s", change(func(g *onnxtest.Graph) { g.Inputs[0].Dims[2] = 3000 }),
			[]string{"shape or type of the input", "input_features float32 [n 80 3000]"}},
		{"other bands", change(func(g *onnxtest.Graph) { g.Inputs[0].Dims[1] = 128 }), []string{"[n 128 800]"}},
		{"two inputs", change(func(g *onnxtest.Graph) {
			g.Inputs = append(g.Inputs, onnxtest.Value{Name: "sr", Type: onnxtest.Int64, Dims: []int64{1}})
		}), []string{"wrong input", "sr int64 [1]"}},
		{"two outputs", change(func(g *onnxtest.Graph) {
			g.Outputs = append(g.Outputs, onnxtest.Value{Name: "mean", Type: onnxtest.Float32, Dims: []int64{onnxtest.Any, 1, 1}})
		}), []string{"number of outputs", "logits", "mean float32 [n 1 1]"}},
		{"an output for each frame", change(func(g *onnxtest.Graph) {
			g.Nodes = []onnxtest.Node{{Op: "Sigmoid", Inputs: []string{"input_features"}, Outputs: []string{"logits"}}}
			g.Outputs[0].Dims = []int64{onnxtest.Any, 80, 800}
		}), []string{"shape or type of the output", "logits float32 [n 80 800]"}},
		{"a logit", change(func(g *onnxtest.Graph) { g.Nodes[2].Op = "Identity" }), []string{"try with silence", "-1.5", "no probability"}},
	} {
		path := file(t, c.network)
		m, err := Open(path)
		if err == nil {
			t.Errorf("%s: was opened", c.name)
			m.Close()
			continue
		}
		for _, says := range append(c.says, path) {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q does not say %q", c.name, err, says)
			}
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.onnx")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
	for n := range len(whole) { // a network that is not whole is refused wherever it ends
		if m, err := load(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were opened", n, len(whole))
			m.Close()
		}
	}
}

func TestFileWithoutEnd(t *testing.T) {
	path := file(t, nil)
	if err := os.Truncate(path, maxFile+1); err != nil { // sparse: it takes no room
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "256 MiB") {
		t.Errorf("%v", err)
	}
}

// TestConcurrentUse: more callers than runners, each with its own audio, and a
// Close in the middle.
func TestConcurrentUse(t *testing.T) {
	m := open(t, onnxtest.Turn())
	speech := codectest.Speech(t)
	var wg sync.WaitGroup
	for i := range 3 * maxRunners {
		audio := speech[i*3000 : i*3000+40000]
		want := foreseen(audio)
		wg.Go(func() {
			if got, err := m.Probability(t.Context(), audio); err != nil || math.Abs(got-want) > 1e-4 {
				t.Errorf("caller %d: %.5f, %v; want %.5f", i, got, err, want)
			}
		})
	}
	wg.Wait()
	for range 2 * maxRunners {
		wg.Go(func() {
			if p, err := m.Probability(t.Context(), speech[:16000]); err != nil && !strings.Contains(err.Error(), "closed") {
				t.Errorf("%v, %v", p, err)
			}
		})
	}
	wg.Go(func() {
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if _, err := m.Probability(t.Context(), speech); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after Close: %v", err)
	}
}

// TestWaitingEnds: who waits for a runner is let go when its context is done.
func TestWaitingEnds(t *testing.T) {
	m := open(t, onnxtest.Turn())
	var taken []*runner
	for range cap(m.idle) {
		select {
		case r := <-m.idle:
			taken = append(taken, r)
		default:
		}
	}
	why := errors.New("speech goes on")
	ctx, cancel := context.WithCancelCause(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := m.Probability(ctx, []float32{1}); !errors.Is(err, why) {
			t.Errorf("%v, want %v", err, why)
		}
	})
	cancel(why)
	wg.Wait()
	for _, r := range taken {
		m.idle <- r
	}
	if _, err := m.Probability(ctx, []float32{1}); !errors.Is(err, why) {
		t.Errorf("with a context that is done: %v", err)
	}
}

func BenchmarkFeatures(b *testing.B) {
	f, dst, audio := newFeatures(), make([]float32, bands*frames), codectest.Speech(b)
	for b.Loop() {
		f.compute(dst, audio)
	}
}
