//go:build !cgo

package silero

import "fmt"

var errNoCgo = fmt.Errorf("%w: this program was built without cgo", ErrUnavailable)

// Model cannot be opened without cgo.
type Model struct{}

// Detector cannot be made without cgo.
type Detector struct{}

// Initialize reports ErrUnavailable.
func Initialize(string) error { return errNoCgo }

// Shutdown has nothing to end.
func Shutdown() error { return nil }

// Open reports ErrUnavailable.
func Open() (*Model, error) { return nil, errNoCgo }

// NewDetector reports ErrUnavailable.
func (*Model) NewDetector() (*Detector, error) { return nil, errNoCgo }

// Close has nothing to free.
func (*Model) Close() error { return nil }

// Probability reports ErrUnavailable.
func (*Detector) Probability([]float32) (float32, error) { return 0, errNoCgo }

// Reset has nothing to forget.
func (*Detector) Reset() {}

// Close has nothing to free.
func (*Detector) Close() error { return nil }
