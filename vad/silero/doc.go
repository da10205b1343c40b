// Package silero is the Silero VAD v6 as a vad.Detector, run by onnxruntime.
//
// The model (MIT licence, beside this file) is part of the binary; the library
// is opened at run time. Its environment belongs to the process: the program,
// and nothing else, calls Initialize once and Shutdown at the end. In between
// Open makes one Model for all streams, and each stream has a Detector with its
// own recurrent state.
//
// Without cgo there is no onnxruntime: every call then reports ErrUnavailable.
package silero

import (
	_ "embed"
	"errors"
)

// ErrUnavailable: onnxruntime is not on this machine, does not fit, or was not
// initialised. What it is wrapped in says what to do.
var ErrUnavailable = errors.New("silero: onnxruntime unavailable")

//go:embed silero_vad_v6.onnx
var weights []byte
