//go:build !cgo

package onnx

import "fmt"

// Initialize reports ErrUnavailable.
func Initialize(string) error {
	return fmt.Errorf("%w: this program was built without cgo", ErrUnavailable)
}

// Shutdown has nothing to end.
func Shutdown() error { return nil }
