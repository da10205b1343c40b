// Package doctor checks what Parley needs of a machine and says what to do about
// everything that is not as it should be.
package doctor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"parley/cmd/internal/native"
	"parley/cmd/internal/parts"
	"parley/cmd/internal/serve"
	"parley/engine"
	"parley/engine/espeak"
	"parley/engine/flite"
	"parley/engine/models"
	"parley/engine/whisper/tinymodel"
	"parley/vad/onnx"
	"parley/vad/silero"
)

// State is what came of a check.
type State string

// The states. Missing is something Parley can do without.
const (
	Good    State = "good"
	Missing State = "missing"
	Bad     State = "bad"
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"` // what to do
}

// Failed counts what is bad.
func Failed(findings []Finding) (n int) {
	for _, f := range findings {
		if f.State == Bad {
			n++
		}
	}
	return n
}

// Config is what is to be checked.
type Config struct {
	Paths  native.Paths
	Store  models.Store
	Turn   string // file of the end-of-turn model, "" without one
	Listen string
}

// Examine makes all checks.
func Examine(ctx context.Context, c Config) []Finding {
	findings := []Finding{detector(c.Paths), turn(c), backends(c.Paths)}
	findings = append(findings, gpu(c.Paths), bundled(c.Paths))
	findings = append(findings, present(ctx, c.Store)...)
	return append(findings, folder(c.Store.Dir), fliteVoices(), espeakVoices(ctx), port(c.Listen))
}

func good(check, format string, args ...any) Finding {
	return Finding{Check: check, State: Good, Detail: fmt.Sprintf(format, args...)}
}

func bad(check, advice string, err error) Finding {
	return Finding{Check: check, State: Bad, Detail: err.Error(), Advice: advice}
}

const setup = "run make setup, or set PARLEY_NATIVE_DIR to the folder it filled"

func detector(p native.Paths) Finding {
	const check = "voice activity detection"
	if p.ONNXRuntime == "" {
		return bad(check, setup, fmt.Errorf("onnxruntime is not at %s", strings.Join(p.Tried[native.ONNXRuntime], ", ")))
	}
	if err := tryDetector(p.ONNXRuntime); err != nil {
		return bad(check, setup, err)
	}
	return good(check, "Silero runs on %s", p.ONNXRuntime)
}

func tryDetector(library string) (err error) {
	if err := onnx.Initialize(library); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, onnx.Shutdown()) }()
	model, err := silero.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	d, err := model.NewDetector()
	if err != nil {
		return err
	}
	_, err = d.Probability(make([]float32, 512))
	return errors.Join(err, d.Close())
}

func devices(p native.Paths) ([]serve.Device, error) {
	if p.Backends == "" {
		return nil, fmt.Errorf("no ggml backends at %s", strings.Join(p.Tried[native.Backends], ", "))
	}
	found, err := parts.Devices(p.Backends)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no device in %s", p.Backends)
	}
	return found, err
}

func backends(p native.Paths) Finding {
	const check = "recognition library"
	found, err := devices(p)
	if err != nil {
		return bad(check, setup, err)
	}
	var names []string
	for _, d := range found {
		names = append(names, d.Name)
	}
	return good(check, "whisper.cpp with %s from %s", strings.Join(names, ", "), p.Backends)
}

func gpu(p native.Paths) Finding {
	const check = "graphics card"
	found, err := devices(p)
	if err != nil {
		return Finding{Check: check, State: Missing, Detail: "unknown without the recognition library"}
	}
	for _, d := range found {
		if d.Kind == "gpu" {
			return good(check, "%s: %s, %d MiB", d.Name, d.Description, d.MemoryMiB)
		}
	}
	return Finding{Check: check, State: Missing, Detail: "none that ggml can use: recognition runs on the CPU",
		Advice: "for a GPU put a ggml backend for it (libggml-vulkan.so, libggml-cuda.so) into " + p.Backends}
}

func bundled(p native.Paths) Finding {
	const check = "bundled model"
	if p.BundledModel == "" {
		return Finding{Check: check, State: Missing, Detail: "not at " + strings.Join(p.Tried[native.BundledModel], ", "),
			Advice: "set PARLEY_BUNDLED_MODEL to its file, or pull another model"}
	}
	text, err := os.ReadFile(p.BundledModel)
	if err == nil && fmt.Sprintf("%x", sha256.Sum256(text)) != tinymodel.SHA256 {
		err = fmt.Errorf("%s is not the file that was published", p.BundledModel)
	}
	if err != nil {
		return bad(check, "take it from the repository again", err)
	}
	return good(check, "%s, SHA-256 as published", p.BundledModel)
}

func present(ctx context.Context, store models.Store) []Finding {
	entries, err := store.List()
	if err != nil {
		return []Finding{bad("models", "choose another folder with --models-dir", err)}
	}
	var findings []Finding
	for _, e := range entries {
		if e.Path == "" {
			continue
		}
		check := "model " + e.Name
		if err := store.Verify(ctx, e.Name); err != nil {
			findings = append(findings, bad(check, fmt.Sprintf("delete %s and run parley models pull %s", e.Path, e.Name), err))
			continue
		}
		findings = append(findings, good(check, "%s, SHA-256 as published", e.Path))
	}
	if len(findings) == 0 {
		findings = append(findings, Finding{Check: "models", State: Missing, Detail: "none in " + store.Dir,
			Advice: "run parley models pull base.en (148 MB)"})
	}
	return findings
}

func folder(dir string) Finding {
	const check = "models folder"
	existing := dir
	for {
		if _, err := os.Stat(existing); err == nil || existing == filepath.Dir(existing) {
			break
		}
		existing = filepath.Dir(existing)
	}
	if err := syscall.Access(existing, 2); err != nil {
		return Finding{Check: check, State: Missing, Detail: fmt.Sprintf("%s cannot be written: %v", existing, err),
			Advice: "choose another with --models-dir (PARLEY_MODELS_DIR) to pull models"}
	}
	return good(check, "%s can be written", dir)
}

func fliteVoices() Finding {
	const check = "voices of flite"
	s, err := flite.Open(flite.Config{})
	if err != nil {
		return bad(check, "install flite (Debian: libflite1) and build again", err)
	}
	return good(check, "%d", len(s.Voices()))
}

func espeakVoices(ctx context.Context) Finding {
	const check = "voices of espeak-ng"
	s, err := espeak.Open(ctx, espeak.Config{})
	switch {
	case errors.Is(err, engine.ErrUnavailable):
		return Finding{Check: check, State: Missing, Detail: err.Error(), Advice: "install espeak-ng for about 130 languages"}
	case err != nil:
		return bad(check, "install espeak-ng again", err)
	}
	return good(check, "%d", len(s.Voices()))
}

func port(listen string) Finding {
	check := "address " + listen
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return bad(check, "stop what listens there, or choose another with --listen (PARLEY_LISTEN)", err)
	}
	if err := l.Close(); err != nil {
		return bad(check, "try again", err)
	}
	return good(check, "is free")
}
