//go:build cgo

package smartturn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"parley/vad/onnx"
)

// maxRunners bounds how many probabilities are computed at the same time, and
// with them the memory: about 1.5 MB each.
const maxRunners = 4

const inputName = "input_features"

// Model is the network. It is safe for concurrent use.
type Model struct {
	session *onnx.Session
	idle    chan *runner // those that nobody uses

	mu     sync.RWMutex // held for reading by whoever uses a runner
	closed bool
}

// Open loads the network of a file and tries it; onnx.Initialize comes first. The
// error names what the file has and what it should have.
func Open(path string) (*Model, error) {
	network, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("smartturn: %w", err)
	}
	m, err := load(network)
	if err != nil {
		return nil, fmt.Errorf("smartturn: %s: %w", path, err)
	}
	return m, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > maxFile {
		return nil, tooLarge(path)
	}
	network, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(network) > maxFile:
		return nil, tooLarge(path)
	case len(network) == 0:
		return nil, fmt.Errorf("%s: empty", path)
	}
	return network, nil
}

func tooLarge(path string) error {
	return fmt.Errorf("%s: larger than %d MiB, no end-of-turn model", path, maxFile>>20)
}

func load(network []byte) (*Model, error) {
	inputs, outputs, err := onnx.Signature(network)
	if errors.Is(err, onnx.ErrUnavailable) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("not a network that onnxruntime can load: %w", err)
	}
	answer, err := check(inputs, outputs)
	if err != nil {
		return nil, err
	}
	session, err := onnx.Load(network, []string{inputName}, []string{answer.Name})
	if err != nil {
		return nil, err
	}
	m := &Model{session: session, idle: make(chan *runner, maxRunners)}
	for range min(runtime.GOMAXPROCS(0), maxRunners) {
		r, err := newRunner(len(answer.Dimensions))
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		m.idle <- r
	}
	if _, err := m.Probability(context.Background(), make([]float32, Window)); err != nil {
		return nil, errors.Join(fmt.Errorf("a try with silence failed: %w", err), m.Close())
	}
	return m, nil
}

// check holds a signature against that of Smart Turn v3 and returns the output.
// What it is called has changed, that there is one has not.
func check(inputs, outputs []ort.InputOutputInfo) (ort.InputOutputInfo, error) {
	wrong := func(what string) (ort.InputOutputInfo, error) {
		return ort.InputOutputInfo{}, fmt.Errorf("%s; an end-of-turn model takes %s float32 [n 80 800] and gives one float32 [n 1], this one takes %s and gives %s",
			what, inputName, list(inputs), list(outputs))
	}
	switch {
	case len(inputs) != 1 || inputs[0].Name != inputName:
		return wrong("wrong input")
	case !fits(inputs[0], 1, bands, frames):
		return wrong("wrong shape or type of the input")
	case len(outputs) != 1:
		return wrong("wrong number of outputs")
	case !fits(outputs[0], 1, 1) && !fits(outputs[0], 1):
		return wrong("wrong shape or type of the output")
	}
	return outputs[0], nil
}

// fits reports whether a tensor of this shape can be passed for v.
func fits(v ort.InputOutputInfo, shape ...int64) bool {
	if v.OrtValueType != ort.ONNXTypeTensor || v.DataType != ort.TensorElementDataTypeFloat || len(v.Dimensions) != len(shape) {
		return false
	}
	for i, n := range v.Dimensions {
		if n >= 0 && n != shape[i] {
			return false
		}
	}
	return true
}

func list(values []ort.InputOutputInfo) string {
	if len(values) == 0 {
		return "nothing"
	}
	const most = 4
	var names []string
	for _, v := range values[:min(len(values), most)] {
		kind := strings.ToLower(strings.TrimPrefix(v.DataType.String(), "ONNX_TENSOR_ELEMENT_DATA_TYPE_"))
		if kind == "float" {
			kind = "float32"
		}
		names = append(names, strings.ReplaceAll(fmt.Sprintf("%.40s %s %v", v.Name, kind, []int64(v.Dimensions)), "-1", "n"))
	}
	if len(values) > most {
		names = append(names, fmt.Sprintf("%d more", len(values)-most))
	}
	return strings.Join(names, ", ")
}

// Probability tells how likely it is, 0 to 1, that whoever speaks has finished at
// the end of audio: mono at 16 kHz, from the start of the turn, as far back as
// Window at least where there is so much. Samples that are no numbers count as
// silence. A call waits for its place until ctx is done and then returns its
// cause; the computation itself is not stopped.
func (m *Model) Probability(ctx context.Context, audio []float32) (float64, error) {
	if len(audio) == 0 {
		return 0, errors.New("smartturn: no audio")
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return 0, errors.New("smartturn: the model is closed")
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	select {
	case r := <-m.idle:
		defer func() { m.idle <- r }()
		return r.run(m.session, audio)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Close waits for what is being computed and frees the network. A second call
// does nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	close(m.idle)
	var errs []error
	for r := range m.idle {
		errs = append(errs, r.close())
	}
	return errors.Join(append(errs, m.session.Close())...)
}

// runner is what one computation needs: features and tensors, made once.
// onnxruntime keeps the addresses of what lies under them, so that is pinned.
type runner struct {
	features *features
	in       []float32
	out      []float32
	inputs   []ort.Value
	outputs  []ort.Value
	pinner   runtime.Pinner
}

func newRunner(rank int) (*runner, error) {
	r := &runner{features: newFeatures(), in: make([]float32, bands*frames), out: make([]float32, 1)}
	r.pinner.Pin(&r.in[0])
	r.pinner.Pin(&r.out[0])
	in, err := ort.NewTensor(ort.NewShape(1, bands, frames), r.in)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.inputs = []ort.Value{in}
	out, err := ort.NewTensor(ort.Shape{1, 1}[:rank], r.out)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.outputs = []ort.Value{out}
	return r, nil
}

func (r *runner) run(session *onnx.Session, audio []float32) (float64, error) {
	r.features.compute(r.in, audio)
	if err := session.Run(r.inputs, r.outputs); err != nil {
		return 0, fmt.Errorf("smartturn: run the network: %w", err)
	}
	p := float64(r.out[0])
	if math.IsNaN(p) || p < 0 || p > 1 {
		return 0, fmt.Errorf("smartturn: the network answered %g, which is no probability", p)
	}
	return p, nil
}

func (r *runner) close() error {
	var errs []error
	for _, v := range append(r.inputs, r.outputs...) {
		errs = append(errs, v.Destroy())
	}
	r.inputs, r.outputs = nil, nil
	r.pinner.Unpin()
	return errors.Join(errs...)
}
