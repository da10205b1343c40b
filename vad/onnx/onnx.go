// Package onnx is the process's one onnxruntime, which all networks of the
// server share. The program, and nothing else, calls Initialize once and
// Shutdown at the end; in between Load makes a Session of each network.
//
// The library is opened at run time. Without cgo there is none: every call then
// reports ErrUnavailable.
package onnx

import "errors"

// ErrUnavailable: onnxruntime is not on this machine, does not fit, or was not
// initialised. What it is wrapped in says what to do.
var ErrUnavailable = errors.New("onnxruntime unavailable")
