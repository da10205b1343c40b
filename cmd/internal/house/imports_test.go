package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "parley"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Standard     bool
	Imports      []string
	Deps         []string
	GoFiles      []string
	CgoFiles     []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func (p pkg) ours() bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

// name is the path inside the module.
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func root(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

// listed is go list's answer, asked once.
var listed = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command("go", "list", "-C", "../../..", "-deps", "-json=ImportPath,Dir,Standard,Imports,Deps,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles", "./...")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("go list: %s", exit.Stderr)
	}
	return out, err
})

// packages lists all packages of the module and what they reach.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// layers says what of ours a package may import, the first line that fits it.
// "x/..." is x and all below it.
var layers = []struct {
	who string
	may []string
}{
	{"cmd/...", []string{"..."}},
	{"web-demo/...", nil},
	{"codec", nil},
	{"codec/...", []string{"codec/..."}},
	{"engine/models/random", []string{"codec/mel"}},
	{"vad", []string{"codec"}},
	{"vad/onnx/...", nil},
	{"vad/...", []string{"vad", "codec", "codec/mel", "vad/onnx"}},
	{"engine", []string{"codec"}},
	{"engine/whisper", []string{"engine", "codec", "engine/models", "engine/whisper/..."}},
	{"engine/...", []string{"engine", "codec"}},
	{"stream", []string{"codec", "vad", "engine"}},
	{"stream/session", []string{"stream", "stream/session/...", "codec", "vad", "engine", "engine/speech"}},
	{"stream/session/endpoint", nil},
	{"stream/session/mail", []string{"stream"}},
	{"stream/streamtest", []string{"stream", "stream/direct", "stream/session", "codec", "vad", "engine", "engine/enginetest"}},
	{"stream/...", []string{"stream", "codec", "vad", "engine"}}, // transports and dialects, never each other
	{"api/...", nil},
}

func matches(pattern, name string) bool {
	below, ok := strings.CutSuffix(pattern, "...")
	if !ok {
		return pattern == name
	}
	return strings.HasPrefix(name+"/", below)
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		if !p.ours() {
			continue
		}
		i := slices.IndexFunc(layers, func(l struct {
			who string
			may []string
		}) bool {
			return matches(l.who, p.name())
		})
		if i < 0 {
			t.Errorf("%s has no place in the house: add it to layers with what it may import", p.name())
			continue
		}
		for _, imported := range p.Imports {
			name, ok := strings.CutPrefix(imported, module+"/")
			if ok && !slices.ContainsFunc(layers[i].may, func(m string) bool { return matches(m, name) }) {
				t.Errorf("%s imports %s; it may import %v", p.name(), name, layers[i].may)
			}
		}
	}
}

// natives are the packages that bring a native library or program with them.
var natives = []string{"engine/whisper", "engine/flite", "engine/espeak", "vad/silero", "vad/smartturn"}

func TestOnlyCmdBringsNativeBackends(t *testing.T) {
	for _, p := range packages(t) {
		if !p.ours() || matches("cmd/...", p.name()) {
			continue
		}
		for _, native := range natives {
			if slices.Contains(p.Imports, module+"/"+native) {
				t.Errorf("%s imports %s: only cmd may", p.name(), native)
			}
		}
	}
}

func TestTheCoreKnowsNoNetwork(t *testing.T) {
	core := []string{"codec/...", "vad/...", "engine/...", "stream", "stream/session/...", "stream/native"}
	network := []string{"github.com/pion/", "github.com/coder/websocket", "github.com/gorilla/websocket", "golang.org/x/net/websocket"}
	for _, p := range packages(t) {
		if !p.ours() || !slices.ContainsFunc(core, func(c string) bool { return matches(c, p.name()) }) {
			continue
		}
		for _, dep := range p.Deps {
			if slices.ContainsFunc(network, func(n string) bool { return strings.HasPrefix(dep, n) }) {
				t.Errorf("%s reaches %s", p.name(), dep)
			}
		}
	}
}

func TestCgoHasItsPlaces(t *testing.T) {
	places := []string{"codec/opus", "engine/whisper", "engine/flite", "vad/silero"}
	for _, p := range packages(t) {
		if !p.ours() || len(p.CgoFiles) == 0 {
			continue
		}
		if !slices.Contains(places, p.name()) {
			t.Errorf("%s imports C in %v; only %v may", p.name(), p.CgoFiles, places)
		}
		if len(p.CgoFiles) > 1 {
			t.Errorf("%s imports C in %v: one file a native library", p.name(), p.CgoFiles)
		}
	}
}
