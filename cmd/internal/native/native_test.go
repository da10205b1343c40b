package native

import (
	"os"
	"path/filepath"
	"testing"
)

func touch(t *testing.T, parts ...string) string {
	t.Helper()
	name := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestBesideTheBinary(t *testing.T) {
	dir := t.TempDir()
	ort := touch(t, dir, ".native", "lib", "libonnxruntime.so.1")
	backends := filepath.Dir(touch(t, dir, ".native", "lib", "ggml", "backends0", "libggml-cpu.so"))
	model := touch(t, dir, "engine", "whisper", "tinymodel", "commands.en-q5_0.bin")
	p := find(func(string) string { return "" }, filepath.Join(dir, "bin"))
	if p.ONNXRuntime != ort || p.Backends != backends || p.BundledModel != model {
		t.Errorf("found %+v", p)
	}
}

func TestTheEnvironmentWins(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	touch(t, dir, ".native", "lib", "libonnxruntime.so.1")
	touch(t, dir, "engine", "whisper", "tinymodel", "commands.en-q5_0.bin")
	ort := touch(t, other, "lib", "libonnxruntime.so.1")
	model := touch(t, other, "m.bin")
	backends := filepath.Dir(touch(t, other, "b", "libggml-cpu.so"))
	env := map[string]string{"PARLEY_NATIVE_DIR": other, "PARLEY_BUNDLED_MODEL": model, "PARLEY_GGML_BACKENDS": backends}
	p := find(func(k string) string { return env[k] }, filepath.Join(dir, "bin"))
	if p.ONNXRuntime != ort || p.Backends != backends || p.BundledModel != model {
		t.Errorf("found %+v", p)
	}
	env["PARLEY_NATIVE_DIR"] = filepath.Join(other, "none")
	p = find(func(k string) string { return env[k] }, filepath.Join(dir, "bin"))
	if p.ONNXRuntime != "" || len(p.Tried[ONNXRuntime]) == 0 {
		t.Errorf("a folder told but empty must not be replaced: %+v", p)
	}
}
