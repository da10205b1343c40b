// Package parts opens the concrete parts that sessions work with - the voice
// activity detector, the recogniser, the voices - and closes them in the right
// order. It is where native backends meet the session core.
package parts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"parley/cmd/internal/native"
	"parley/engine"
	"parley/engine/whisper"
	"parley/stream/session"
	"parley/vad/onnx"
	"parley/vad/silero"
	"parley/vad/smartturn"
)

// HearingConfig is what recognition needs.
type HearingConfig struct {
	Paths   native.Paths
	Model   string // path of the model file
	Short   bool   // it was trained for encoders as short as the utterance
	Slots   int    // decodes at the same time
	Threads int    // of one decode
	GPU     whisper.GPU
	Queue   int  // decodes that may wait
	Naive   bool // recognise as simple servers do, see Naive; Slots and Queue do not count
	Metrics prometheus.Registerer
	Log     zerolog.Logger
}

// Hearing is the detector and the recogniser.
type Hearing struct {
	Recognizer session.Recognizer
	Languages  []string // ISO 639-1
	Device     whisper.Device
	Turn       *smartturn.Model // nil unless OpenTurn was called

	detector *silero.Model
	loaded   atomic.Bool
	closers  closers
}

// OpenHearing loads the models. Errors say what to do where something is missing.
func OpenHearing(c HearingConfig) (*Hearing, error) {
	h := &Hearing{}
	if err := h.openDetector(c); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if err := h.openRecognizer(c); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.loaded.Store(true)
	return h, nil
}

func (h *Hearing) openDetector(c HearingConfig) error {
	if c.Paths.ONNXRuntime == "" {
		return fmt.Errorf("onnxruntime is not at %s: run make setup, or set PARLEY_NATIVE_DIR to the folder it filled", strings.Join(c.Paths.Tried[native.ONNXRuntime], ", "))
	}
	if err := onnx.Initialize(c.Paths.ONNXRuntime); err != nil {
		return err
	}
	h.closers.add(onnx.Shutdown)
	model, err := silero.Open()
	if err != nil {
		return err
	}
	h.detector = model
	h.closers.add(model.Close)
	return nil
}

func (h *Hearing) openRecognizer(c HearingConfig) error {
	model, err := whisper.Load(whisper.Config{
		Path: c.Model, Backends: c.Paths.Backends, GPU: c.GPU, Threads: c.Threads, Short: c.Short, Log: h.log(c.Log),
	})
	if err != nil {
		return err
	}
	h.closers.add(model.Close)
	h.Languages, h.Device = slices.Sorted(slices.Values(model.Languages())), model.Device()
	if c.Naive {
		return h.openNaive(model)
	}
	var slots []engine.Slot
	for range c.Slots {
		slot, err := model.Open()
		if err != nil {
			return errors.Join(err, closeSlots(slots))
		}
		slots = append(slots, slot)
	}
	pool, err := engine.NewPool(engine.PoolConfig{Queue: c.Queue, Metrics: c.Metrics}, slots...)
	if err != nil {
		return errors.Join(err, closeSlots(slots))
	}
	h.closers.add(pool.Close)
	h.Recognizer = pool
	return nil
}

func (h *Hearing) openNaive(model *whisper.Model) error {
	slot, err := model.Open()
	if err != nil {
		return err
	}
	n := NewNaive(slot)
	h.closers.add(n.Close)
	h.Recognizer = n
	return nil
}

func closeSlots(slots []engine.Slot) (err error) {
	for _, s := range slots {
		err = errors.Join(err, s.Close())
	}
	return err
}

// NewDetector makes the detector of one session.
func (h *Hearing) NewDetector() (session.Detector, error) { return h.detector.NewDetector() }

// Close frees everything; no session may be left.
func (h *Hearing) Close() error { return h.closers.close() }

// log takes whisper's lines. Once it is loaded they are for debugging only: what
// fails comes back as an error, and it complains about every decode called off.
func (h *Hearing) log(log zerolog.Logger) func(whisper.Level, string) {
	log = log.With().Str("from", "whisper").Logger()
	return func(level whisper.Level, line string) {
		to := zerolog.DebugLevel
		if !h.loaded.Load() {
			switch level {
			case whisper.LevelWarn:
				to = zerolog.WarnLevel
			case whisper.LevelError:
				to = zerolog.ErrorLevel
			}
		}
		log.WithLevel(to).Msg(line)
	}
}

// closers run in the reverse order of opening, once.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c *closers) close() (err error) {
	for _, f := range slices.Backward(*c) {
		err = errors.Join(err, f())
	}
	*c = nil
	return err
}
