// Package whisper recognises speech with whisper.cpp: weights once, one state of
// the library per slot and use. It is the only place with that library's cgo;
// without cgo it builds and says engine.ErrUnavailable.
package whisper

import "fmt"

// Config says which model is run on what.
type Config struct {
	Path     string // of the model file, in whisper.cpp's format
	Backends string // directory of ggml's plug-ins; "" for the library's own
	GPU      GPU    // "" is Auto
	Device   int    // which graphics card, from 0
	Threads  int    // per decode; 0 is 1. More only pays where cores are idle.
	// Short says that the model was trained to work with encoders as short as
	// what was said: partials then go down to 5 s instead of 10 s, and finals use
	// no more than they need instead of always 30 s.
	Short bool
	// Log takes the library's lines; nil drops them. Called from Load, Open and
	// decodes, never concurrently with itself from one slot.
	Log func(level Level, line string)
}

// GPU says whether a graphics card is used.
type GPU string

// The choices: a card where there is one, or never.
const (
	Auto GPU = "auto"
	Off  GPU = "off"
)

// Validate reports a setting that nothing can be done with.
func (c Config) Validate() error {
	switch {
	case c.Path == "":
		return fmt.Errorf("whisper: no model file given")
	case c.GPU != "" && c.GPU != Auto && c.GPU != Off:
		return fmt.Errorf("whisper: gpu %q is neither auto nor off", c.GPU)
	case c.Device < 0 || c.Device > 63:
		return fmt.Errorf("whisper: graphics card %d is outside 0 to 63", c.Device)
	case c.Threads < 0 || c.Threads > 256:
		return fmt.Errorf("whisper: %d threads are outside 0 to 256", c.Threads)
	}
	return nil
}

// Level is how much a line of the library's log matters.
type Level int

// The levels, as in ggml.
const (
	LevelDebug Level = iota + 1
	LevelInfo
	LevelWarn
	LevelError
)

// DeviceType is what a Device is.
type DeviceType string

// The types of devices. An integrated GPU counts as GPU.
const (
	CPU         DeviceType = "cpu"
	Graphics    DeviceType = "gpu"
	Accelerator DeviceType = "accelerator"
)

// Device is something that can compute.
type Device struct {
	Name        string // of ggml, such as "CPU" or "Vulkan0"
	Description string // of the maker
	Type        DeviceType
	Free, Total uint64 // bytes of memory, 0 where unknown
}
