// Package native finds the parts that are not in the binary: native libraries,
// compute backends and the bundled model. It looks where the environment says,
// then beside the binary, then where packages install; nothing is compiled in.
package native

import (
	"os"
	"path/filepath"
)

// Paths are the folders and files found; a field is empty where there is none.
type Paths struct {
	ONNXRuntime  string // libonnxruntime.so.1 or .dylib
	Backends     string // folder of ggml's compute backends
	BundledModel string // the small model that comes with Parley
	Tried        map[string][]string
}

// The names in Tried.
const (
	ONNXRuntime  = "onnxruntime"
	Backends     = "ggml backends"
	BundledModel = "bundled model"
)

// Find looks for all parts.
func Find() Paths { return find(os.Getenv, executableDir()) }

func find(getenv func(string) string, exeDir string) Paths {
	p := Paths{Tried: map[string][]string{}}
	roots := roots(getenv, exeDir)
	var libs, backends []string
	for _, root := range roots {
		libs = append(libs,
			filepath.Join(root, "lib", "libonnxruntime.so.1"),
			filepath.Join(root, "lib", "libonnxruntime.dylib"))
		backends = append(backends, filepath.Join(root, "lib", "ggml", "backends0"))
	}
	if dir := getenv("PARLEY_GGML_BACKENDS"); dir != "" {
		backends = []string{dir}
	} else {
		systems, _ := filepath.Glob("/usr/lib/*/ggml/backends0") // the pattern is well formed
		backends = append(backends, systems...)
	}
	p.ONNXRuntime = p.first(ONNXRuntime, libs)
	p.Backends = p.first(Backends, backends)
	p.BundledModel = p.first(BundledModel, models(getenv, exeDir))
	return p
}

func roots(getenv func(string) string, exeDir string) []string {
	if dir := getenv("PARLEY_NATIVE_DIR"); dir != "" {
		return []string{dir}
	}
	return []string{filepath.Join(exeDir, "..", ".native"), "/usr/lib/parley"}
}

func models(getenv func(string) string, exeDir string) []string {
	if file := getenv("PARLEY_BUNDLED_MODEL"); file != "" {
		return []string{file}
	}
	const name = "commands.en-q5_0.bin"
	return []string{
		filepath.Join(exeDir, "..", "engine", "whisper", "tinymodel", name),
		filepath.Join("/usr/share/parley", name),
	}
}

func (p *Paths) first(part string, candidates []string) string {
	p.Tried[part] = candidates
	for _, name := range candidates {
		if _, err := os.Stat(name); err == nil {
			return filepath.Clean(name)
		}
	}
	return ""
}

// executableDir is where the binary itself lies, behind any links.
func executableDir() string {
	exe, err := os.Executable()
	if err != nil {
		return "."
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Dir(exe)
}
