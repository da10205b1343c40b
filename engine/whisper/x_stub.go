//go:build !cgo

package whisper

import (
	"context"
	"fmt"

	"parley/engine"
)

var errNoCgo = fmt.Errorf("whisper: %w: built without cgo", engine.ErrUnavailable)

// Model cannot be had without cgo.
type Model struct{}

// Slot cannot be had without cgo.
type Slot struct{}

// Load returns engine.ErrUnavailable.
func Load(Config) (*Model, error) { return nil, errNoCgo }

// Devices returns engine.ErrUnavailable.
func Devices(string) ([]Device, error) { return nil, errNoCgo }

// Version is empty.
func Version() string { return "" }

// Device is nothing.
func (*Model) Device() Device { return Device{} }

// Multilingual is false.
func (*Model) Multilingual() bool { return false }

// Languages is empty.
func (*Model) Languages() []string { return nil }

// Open returns engine.ErrUnavailable.
func (*Model) Open() (*Slot, error) { return nil, errNoCgo }

// Close does nothing.
func (*Model) Close() error { return nil }

// Partial returns engine.ErrUnavailable.
func (*Slot) Partial(context.Context, engine.Window, engine.Prefix) (engine.Hypothesis, error) {
	return engine.Hypothesis{}, errNoCgo
}

// Final returns engine.ErrUnavailable.
func (*Slot) Final(context.Context, engine.Window, engine.Prefix) (engine.Transcript, error) {
	return engine.Transcript{}, errNoCgo
}

// Close does nothing.
func (*Slot) Close() error { return nil }
