package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTurnModel(t *testing.T) {
	dir := t.TempDir()
	path := func(flag string) string {
		t.Helper()
		got, err := Turn{Model: flag}.Path(Models{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := path(TurnAuto); got != "" {
		t.Errorf("an empty folder gave %s", got)
	}
	if err := os.Mkdir(filepath.Join(dir, "smart-turn-v3.9.onnx"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ add, want string }{
		{"ggml-tiny.bin", ""},
		{"smart-turn-v2.onnx", ""},
		{"smart-turn-v3.onnx.partial", ""},
		{"smart-turn-v3.2-gpu.onnx", "smart-turn-v3.2-gpu.onnx"},
		{"smart-turn-v3.0.onnx", "smart-turn-v3.0.onnx"},
		{"smart-turn-v3.1-cpu.onnx", "smart-turn-v3.1-cpu.onnx"},
		{"smart-turn-v3.2-cpu.onnx", "smart-turn-v3.2-cpu.onnx"},
		{"smart-turn-v3.1-gpu.onnx", "smart-turn-v3.2-cpu.onnx"},
	} {
		if err := os.WriteFile(filepath.Join(dir, c.add), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want := c.want
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got := path(TurnAuto); got != want {
			t.Errorf("with %s: %q, want %q", c.add, got, want)
		}
	}
	if got := path(TurnOff); got != "" {
		t.Errorf("off is %s", got)
	}
	named := filepath.Join(dir, "smart-turn-v3.0.onnx")
	if got := path(named); got != named {
		t.Errorf("%s is %s", named, got)
	}
	if _, err := (Turn{Model: filepath.Join(dir, "none.onnx")}).Path(Models{}); err == nil ||
		!strings.Contains(err.Error(), "--turn-model (PARLEY_TURN_MODEL)") || !strings.Contains(err.Error(), "none.onnx") {
		t.Errorf("a file that is not there: %v", err)
	}
}
