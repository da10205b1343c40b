//go:build !cgo

package smartturn

import (
	"context"
	"fmt"

	"parley/vad/onnx"
)

var errNoCgo = fmt.Errorf("smartturn: %w: this program was built without cgo", onnx.ErrUnavailable)

// Model cannot be opened without cgo.
type Model struct{}

// Open reports onnx.ErrUnavailable.
func Open(string) (*Model, error) { return nil, errNoCgo }

// Probability reports onnx.ErrUnavailable.
func (*Model) Probability(context.Context, []float32) (float64, error) { return 0, errNoCgo }

// Close has nothing to free.
func (*Model) Close() error { return nil }
