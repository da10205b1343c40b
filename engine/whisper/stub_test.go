//go:build !cgo

package whisper

import (
	"errors"
	"testing"

	"parley/engine"
)

func TestWithoutCgo(t *testing.T) {
	if _, err := Load(Config{Path: "x"}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("load: %v", err)
	}
	if _, err := Devices(""); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("devices: %v", err)
	}
}
