//go:build cgo

package onnx

import (
	"errors"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Session is a network ready to run. Runs may happen at the same time.
type Session struct {
	*ort.DynamicAdvancedSession
	closed sync.Once
}

// Load makes a Session of an ONNX file's bytes; Initialize comes first, and
// Close is due. The names say in which order inputs and outputs will be passed.
func Load(network []byte, inputs, outputs []string) (*Session, error) {
	if err := hold(); err != nil {
		return nil, err
	}
	session, err := load(network, inputs, outputs)
	if err != nil {
		release()
		return nil, err
	}
	return &Session{DynamicAdvancedSession: session}, nil
}

// load runs every call on the caller's own thread: many streams are the
// parallelism here, and an idle thread pool would spin.
func load(network []byte, inputs, outputs []string) (*ort.DynamicAdvancedSession, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	if err := errors.Join(
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		options.SetExecutionMode(ort.ExecutionModeSequential),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0"),
	); err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(network, inputs, outputs, options)
}

// Signature tells what a network takes and gives.
func Signature(network []byte) (inputs, outputs []ort.InputOutputInfo, err error) {
	if err := hold(); err != nil {
		return nil, nil, err
	}
	defer release()
	return ort.GetInputOutputInfoWithONNXData(network)
}

// Close frees the network; nothing may be running. A second call does nothing.
func (s *Session) Close() (err error) {
	s.closed.Do(func() {
		defer release()
		err = s.Destroy()
	})
	return err
}
