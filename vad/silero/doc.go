// Package silero is the Silero VAD v6 as a vad.Detector, run by onnxruntime.
//
// The model (MIT licence, beside this file) is part of the binary; the library
// is that of package onnx. Open makes one Model for all streams, and each stream
// has a Detector with its own recurrent state.
//
// Streams are not batched. On one core (Xeon, 2.5 GHz) a frame of 32 ms takes
// 182 µs alone, 98 µs in a call of four, 83 µs in one of eight and 71 µs in one
// of 32: a hundred streams would save a third of a core, before the cost of
// waking each other up, and every frame would wait for the others. A detector
// takes 8 kB.
//
// Without cgo there is no onnxruntime: every call then reports onnx.ErrUnavailable.
package silero
