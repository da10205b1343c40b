//go:build cgo

package whisper

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	lib "github.com/ggerganov/whisper.cpp/bindings/go"

	"parley/engine"
	"parley/engine/models"
)

// Model is weights in memory. It is safe for concurrent use.
type Model struct {
	config       Config
	device       Device
	weights      *weights
	multilingual bool
	languages    map[string]int

	mu     sync.Mutex
	open   int // slots
	closed bool
}

// Load reads a model file. It returns engine.ErrUnavailable where ggml has no
// plug-in for this machine, or an error that says what is wrong with the file.
func Load(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if _, err := models.Describe(c.Path); err != nil {
		return nil, fmt.Errorf("whisper: %w", err)
	}
	devices, err := Devices(c.Backends)
	drain(c.Log)
	if err != nil {
		return nil, err
	}
	m := &Model{config: c, device: choose(devices, c)}
	m.weights, err = openWeights(c.Path, m.device.Type == Graphics, c.Device, true)
	drain(c.Log)
	if err != nil {
		return nil, err
	}
	m.multilingual = m.weights.info.Whisper_is_multilingual() != 0
	m.languages = languages(m.multilingual)
	return m, nil
}

// choose is the device the library will take.
func choose(devices []Device, c Config) Device {
	var cpu Device
	card := 0
	for _, d := range devices {
		switch {
		case d.Type == CPU:
			cpu = d
		case d.Type == Graphics && c.GPU != Off:
			if card == c.Device {
				return d
			}
			card++
		}
	}
	return cpu
}

// languages maps the codes of the model's languages to the library's ids.
func languages(multilingual bool) map[string]int {
	if !multilingual {
		return map[string]int{"en": 0}
	}
	ids := make(map[string]int)
	for id := range lib.Whisper_lang_max_id() + 1 {
		ids[lib.Whisper_lang_str(id)] = id
	}
	return ids
}

// Device is where the model computes.
func (m *Model) Device() Device { return m.device }

// Multilingual says whether the model knows more than English.
func (m *Model) Multilingual() bool { return m.multilingual }

// Languages are the ISO 639 codes the model knows, sorted.
func (m *Model) Languages() []string {
	var codes []string
	for code := range m.languages {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// Open makes a slot: its memory is taken and its paths are run once now.
func (m *Model) Open() (*Slot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("whisper: %w: the model is closed", engine.ErrUnavailable)
	}
	s, err := newSlot(m)
	drain(m.config.Log)
	if err != nil {
		return nil, err
	}
	m.open++
	return s, nil
}

// Close frees the weights. It fails while slots are open; a second call is nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open > 0 {
		return errors.New("whisper: model closed before its slots")
	}
	if !m.closed {
		m.closed = true
		m.weights.free()
		drain(m.config.Log)
	}
	return nil
}

func (m *Model) left() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
}
