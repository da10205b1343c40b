package config

import (
	"os"
	"path/filepath"
	"strings"
)

// Turn says which model tells where turns end.
type Turn struct {
	Model string `name:"turn-model" help:"End-of-turn model (Smart Turn v3, ONNX): a file, 'off', or 'auto' for smart-turn-v3*.onnx where models are kept." default:"auto" placeholder:"FILE|off"`
}

// The values of --turn-model that are no file.
const (
	TurnAuto = "auto"
	TurnOff  = "off"
)

// Path is the file of the model, "" where none is wanted or none is there: of
// several the latest by name, those for a CPU first.
func (t Turn) Path(models Models) (string, error) {
	switch t.Model {
	case "", TurnOff:
		return "", nil
	case TurnAuto:
		return present(models.Path()), nil
	}
	if _, err := os.Stat(t.Model); err != nil {
		return "", invalid("turn-model", "%v", err)
	}
	return t.Model, nil
}

// present looks for a published file, whose names are smart-turn-v3.2-cpu.onnx
// and the like.
func present(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var best string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, "smart-turn-v3") || filepath.Ext(name) != ".onnx" || e.IsDir() {
			continue
		}
		if best == "" || !forGPU(name) || forGPU(best) {
			best = name
		}
	}
	if best == "" {
		return ""
	}
	return filepath.Join(dir, best)
}

func forGPU(name string) bool { return strings.Contains(name, "-gpu") }
