//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// environment is the process's one onnxruntime environment.
var environment struct {
	sync.Mutex
	library  string // what it was opened from, "" while it is not
	sessions int    // open ones, which hold it
}

// Initialize opens the onnxruntime library at a path and makes the process's
// environment. Again with the same path it does nothing. The error wraps
// ErrUnavailable.
func Initialize(library string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library != "" {
		if environment.library != library {
			return fmt.Errorf("%w: %s is asked for, but %s is already open", ErrUnavailable, library, environment.library)
		}
		return nil
	}
	if library == "" {
		return fmt.Errorf("%w: no library was named; `make setup` installs it", ErrUnavailable)
	}
	if filepath.Base(library) != library { // a bare name is searched for by the system
		if _, err := os.Stat(library); err != nil {
			return fmt.Errorf("%w: %w; `make setup` installs it", ErrUnavailable, err)
		}
	}
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("%w: %w; `make setup` installs one that fits", ErrUnavailable, err)
	}
	if err := ort.DisableTelemetry(); err != nil { // some builds report their use to their maker
		return errors.Join(fmt.Errorf("%w: %w", ErrUnavailable, err), ort.DestroyEnvironment())
	}
	environment.library = library
	return nil
}

// Shutdown ends the environment. It refuses while a Session is open, and does
// nothing where there is no environment.
func Shutdown() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library == "" {
		return nil
	}
	if environment.sessions > 0 {
		return fmt.Errorf("onnx: shutdown with %d sessions still open", environment.sessions)
	}
	environment.library = ""
	return ort.DestroyEnvironment()
}

// hold counts a Session that needs the environment.
func hold() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library == "" {
		return fmt.Errorf("%w: Initialize was not called", ErrUnavailable)
	}
	environment.sessions++
	return nil
}

// release ends what hold began.
func release() {
	environment.Lock()
	defer environment.Unlock()
	environment.sessions--
}
