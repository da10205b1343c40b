//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"parley/vad/onnx/onnxtest"
)

// TestMain opens the library that set-up installed; without it there is nothing
// to test, and that is a failure.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, "vad/onnx:", err)
		return 1
	}
	native := os.Getenv("PARLEY_NATIVE_DIR")
	if native == "" {
		return fail(errors.New("PARLEY_NATIVE_DIR is not set: run `make setup`, then `. .native/env`"))
	}
	if err := testBeforeInitialize(); err != nil {
		return fail(err)
	}
	if err := Initialize(filepath.Join(native, "lib", "libonnxruntime.so.1")); err != nil {
		return fail(err)
	}
	code = m.Run()
	if err := Shutdown(); err != nil && code == 0 { // a test left a session open
		return fail(err)
	}
	return code
}

// testBeforeInitialize runs before the library is open.
func testBeforeInitialize() error {
	if _, err := Load(onnxtest.Turn().Bytes(), nil, nil); !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("Load before Initialize = %v, want ErrUnavailable", err)
	}
	if _, _, err := Signature(onnxtest.Turn().Bytes()); !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("Signature before Initialize = %v, want ErrUnavailable", err)
	}
	if err := Shutdown(); err != nil {
		return fmt.Errorf("Shutdown before Initialize = %w", err)
	}
	for _, library := range []string{"", filepath.Join("no", "such.so"), "no-such-library.so", "onnx.go", "./onnx.go"} {
		err := Initialize(library)
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "make setup") || !strings.Contains(err.Error(), library) {
			return fmt.Errorf("Initialize(%q) = %v, want ErrUnavailable with what to do", library, err)
		}
	}
	return nil
}

func TestEnvironmentIsOneAndHeld(t *testing.T) {
	library := environment.library
	if err := Initialize(library); err != nil {
		t.Errorf("again with the same library: %v", err)
	}
	if err := Initialize("another.so"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("with another library: %v, want ErrUnavailable", err)
	}
	s, err := Load(onnxtest.Turn().Bytes(), []string{"input_features"}, []string{"logits"})
	if err != nil {
		t.Fatal(err)
	}
	if err := Shutdown(); err == nil {
		t.Fatal("Shutdown under an open session succeeded")
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Shutdown(), Shutdown(), Initialize(library)); err != nil {
		t.Fatalf("shut down and start again: %v", err)
	}
}

// TestSession runs a graph whose result is known: it also holds the graphs of
// onnxtest against the real reader of the format.
func TestSession(t *testing.T) {
	add := onnxtest.Graph{
		Inputs: []onnxtest.Value{
			{Name: "a", Type: onnxtest.Float32, Dims: []int64{3}},
			{Name: "b", Type: onnxtest.Float32, Dims: []int64{onnxtest.Any}},
		},
		Outputs: []onnxtest.Value{{Name: "sum", Type: onnxtest.Float32, Dims: []int64{3}}},
		Nodes:   []onnxtest.Node{{Op: "Add", Inputs: []string{"a", "b"}, Outputs: []string{"sum"}}},
	}
	inputs, outputs, err := Signature(add.Bytes())
	if err != nil || len(inputs) != 2 || len(outputs) != 1 {
		t.Fatalf("Signature = %v, %v, %v", inputs, outputs, err)
	}
	if got := inputs[1]; got.Name != "b" || got.DataType != ort.TensorElementDataTypeFloat || len(got.Dimensions) != 1 || got.Dimensions[0] != -1 {
		t.Errorf("input %v", got)
	}
	s, err := Load(add.Bytes(), []string{"a", "b"}, []string{"sum"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tensor := func(data ...float32) ort.Value {
		v, err := ort.NewTensor(ort.NewShape(3), data)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Destroy() })
		return v
	}
	out := []ort.Value{nil}
	if err := s.Run([]ort.Value{tensor(1, 2, 3), tensor(10, 20, 30)}, out); err != nil {
		t.Fatal(err)
	}
	defer out[0].Destroy()
	if got := fmt.Sprint(out[0].(*ort.Tensor[float32]).GetData()); got != "[11 22 33]" {
		t.Errorf("1 2 3 and 10 20 30 give %s", got)
	}
}

func TestLoadRefuses(t *testing.T) {
	whole := onnxtest.Turn().Bytes()
	for name, network := range map[string][]byte{
		"nothing": nil, "garbage": []byte("this is no network"), "cut short": whole[:len(whole)/2],
	} {
		if s, err := Load(network, nil, nil); err == nil {
			s.Close()
			t.Errorf("%s was loaded", name)
		}
		if _, _, err := Signature(network); err == nil {
			t.Errorf("%s has a signature", name)
		}
	}
}
