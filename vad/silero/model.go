//go:build cgo

package silero

import (
	_ "embed" // the weights
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

//go:embed silero_vad_v6.onnx
var weights []byte

// Model is the network, shared by all streams. It is safe for concurrent use.
type Model struct {
	session *ort.DynamicAdvancedSession

	mu        sync.Mutex
	closed    bool
	detectors map[*Detector]struct{} // the open ones; each keeps the session alive
}

// Open loads the network. Initialize comes first.
func Open() (*Model, error) {
	if err := hold(); err != nil {
		return nil, err
	}
	session, err := newSession()
	if err != nil {
		release()
		return nil, fmt.Errorf("silero: load the network: %w", err)
	}
	return &Model{session: session, detectors: make(map[*Detector]struct{})}, nil
}

// newSession runs every call on the caller's own thread: many streams are the
// parallelism here, and an idle thread pool would spin.
func newSession() (*ort.DynamicAdvancedSession, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	if err := errors.Join(
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		options.SetExecutionMode(ort.ExecutionModeSequential),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0"),
	); err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(weights, inputNames, outputNames, options)
}

// NewDetector makes the detector of one stream, with fresh state. Its Close is due.
func (m *Model) NewDetector() (*Detector, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errors.New("silero: the model is closed")
	}
	d := &Detector{model: m}
	if err := d.bind(m.session); err != nil {
		d.free()
		return nil, fmt.Errorf("silero: make a detector: %w", err)
	}
	m.detectors[d] = struct{}{}
	return d, nil
}

// Close frees the network once the last of its detectors is closed too. A
// second call does nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	return m.freeIfUnused()
}

// forget is called by a detector as it closes.
func (m *Model) forget(d *Detector) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.detectors, d)
	return m.freeIfUnused()
}

func (m *Model) freeIfUnused() error {
	if !m.closed || len(m.detectors) > 0 {
		return nil
	}
	defer release()
	return m.session.Destroy()
}
