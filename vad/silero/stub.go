//go:build !cgo

package silero

import (
	"fmt"

	"parley/vad/onnx"
)

var errNoCgo = fmt.Errorf("%w: this program was built without cgo", onnx.ErrUnavailable)

// Model cannot be opened without cgo.
type Model struct{}

// Detector cannot be made without cgo.
type Detector struct{}

// Open reports onnx.ErrUnavailable.
func Open() (*Model, error) { return nil, errNoCgo }

// NewDetector reports onnx.ErrUnavailable.
func (*Model) NewDetector() (*Detector, error) { return nil, errNoCgo }

// Close has nothing to free.
func (*Model) Close() error { return nil }

// Probability reports onnx.ErrUnavailable.
func (*Detector) Probability([]float32) (float32, error) { return 0, errNoCgo }

// Reset has nothing to forget.
func (*Detector) Reset() {}

// Close has nothing to free.
func (*Detector) Close() error { return nil }
