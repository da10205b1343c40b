//go:build cgo

package silero

import (
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"

	"parley/vad"
	"parley/vad/onnx"
)

// The network sees 64 samples of the frame before with each frame, and carries
// 2 x 128 numbers of state from call to call.
const (
	contextSize = 64
	stateSize   = 2 * 128
	sampleRate  = 16000
	floor       = 1e-6
)

var (
	inputNames  = []string{"input", "state", "sr"}
	outputNames = []string{"output", "stateN"}
)

var _ vad.Detector = (*Detector)(nil)

// Detector is one stream's vad.Detector: about 5 kB of tensors, bound once, so
// that a call neither allocates nor copies more than the frame and the state.
type Detector struct {
	model   *Model // nil once closed
	binding *ort.IoBinding
	tensors []ort.Value
	pinner  runtime.Pinner
	*memory
}

// memory lies under the tensors. onnxruntime keeps its address, so it is pinned
// from bind to free.
type memory struct {
	input  [contextSize + vad.FrameSize]float32
	state  [stateSize]float32
	next   [stateSize]float32
	output [1]float32
	rate   [1]int64
}

// bind makes the tensors over the detector's own arrays.
func (d *Detector) bind(session *onnx.Session) (err error) {
	d.memory = &memory{rate: [1]int64{sampleRate}}
	d.pinner.Pin(d.memory)
	if d.binding, err = session.CreateIoBinding(); err != nil {
		return err
	}
	return errors.Join(
		add(d, d.binding.BindInput, "input", d.input[:], 1, contextSize+vad.FrameSize),
		add(d, d.binding.BindInput, "state", d.state[:], 2, 1, 128),
		add(d, d.binding.BindInput, "sr", d.rate[:], 1),
		add(d, d.binding.BindOutput, "output", d.output[:], 1, 1),
		add(d, d.binding.BindOutput, "stateN", d.next[:], 2, 1, 128),
	)
}

// add binds one tensor over data to a name of the network.
func add[T float32 | int64](d *Detector, bind func(string, ort.Value) error, name string, data []T, shape ...int64) error {
	tensor, err := ort.NewTensor(shape, data)
	if err != nil {
		return err
	}
	d.tensors = append(d.tensors, tensor)
	return bind(name, tensor)
}

// Probability runs the network on the next vad.FrameSize samples, cleaned.
func (d *Detector) Probability(frame []float32) (float32, error) {
	if len(frame) != vad.FrameSize {
		return 0, fmt.Errorf("silero: a frame of %d samples, want %d", len(frame), vad.FrameSize)
	}
	if d.model == nil {
		return 0, errors.New("silero: the detector is closed")
	}
	for i, x := range frame {
		d.input[contextSize+i] = clean(x)
	}
	if err := d.model.session.RunWithBinding(d.binding); err != nil {
		return 0, fmt.Errorf("silero: run the network: %w", err)
	}
	d.state = d.next
	copy(d.input[:contextSize], d.input[vad.FrameSize:])
	return d.output[0], nil
}

// clean clips a sample to [-1, 1] and makes silence of what is no number: neither
// may get into the state, which would never recover. Below -120 dB it is silence
// too: denormal numbers take the processor twenty times as long.
func clean(x float32) float32 {
	if !(x > floor || x < -floor) {
		return 0
	}
	return max(-1, min(x, 1))
}

// Reset forgets the stream so far.
func (d *Detector) Reset() {
	clear(d.input[:])
	clear(d.state[:])
}

// Close frees the tensors. A second call does nothing.
func (d *Detector) Close() error {
	if d.model == nil {
		return nil
	}
	model := d.model
	d.model = nil
	return errors.Join(d.free(), model.forget(d))
}

func (d *Detector) free() error {
	var errs []error
	if d.binding != nil {
		errs = append(errs, d.binding.Destroy())
	}
	for _, t := range d.tensors {
		errs = append(errs, t.Destroy())
	}
	d.tensors = nil
	d.pinner.Unpin()
	return errors.Join(errs...)
}
