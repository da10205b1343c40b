//go:build cgo

package silero

import (
	_ "embed" // the weights
	"errors"
	"fmt"
	"sync"

	"parley/vad/onnx"
)

//go:embed silero_vad_v6.onnx
var weights []byte

// Model is the network, shared by all streams. It is safe for concurrent use.
type Model struct {
	session *onnx.Session

	mu        sync.Mutex
	closed    bool
	detectors map[*Detector]struct{} // the open ones; each keeps the session alive
}

// Open loads the network. onnx.Initialize comes first.
func Open() (*Model, error) {
	session, err := onnx.Load(weights, inputNames, outputNames)
	if err != nil {
		return nil, fmt.Errorf("silero: load the network: %w", err)
	}
	return &Model{session: session, detectors: make(map[*Detector]struct{})}, nil
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
	return m.session.Close()
}
