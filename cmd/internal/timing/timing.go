// Package timing measures what the decodes of one model cost on one machine:
// the encoder for windows of all lengths, a step of the decoder, a partial with
// and without a forced beginning, a final, and what several slots do at once.
//
// It uses nothing but engine/whisper's slots, so it times what a server runs.
package timing

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/cmd/internal/native"
	"parley/codec"
	"parley/engine"
	"parley/engine/whisper"
)

// Config says what is measured on what.
type Config struct {
	Paths   native.Paths
	Model   string // path of the model file
	Short   bool   // it was trained for encoders as short as the utterance
	Only    bool   // on a graphics card or not at all
	GPU     whisper.GPU
	Threads int   // of one decode
	Slots   []int // how many at once, each number by itself; the first is what the others are compared to
	Runs    int   // of each decode; the median is told
	// Windows are the lengths of audio to measure; nil for one of each length of
	// the encoder.
	Windows []time.Duration
	// Busy is how long each number of slots is kept busy.
	Busy time.Duration
	// Speech is what is decoded, at codec.SpeechRate. It is repeated to the length needed.
	Speech []float32
}

// Validate reports what cannot be measured.
func (c Config) Validate() error {
	switch {
	case len(c.Speech) == 0:
		return errors.New("timing: no speech")
	case c.Runs < 1 || c.Runs > 1000:
		return fmt.Errorf("timing: %d runs are outside 1 to 1000", c.Runs)
	case c.Busy < 0 || c.Busy > time.Hour:
		return fmt.Errorf("timing: %v are outside 0 to 1h", c.Busy)
	}
	for _, w := range c.Windows {
		if w < time.Second || w > 28*time.Second {
			return fmt.Errorf("timing: a window of %v is outside 1s to 28s", w)
		}
	}
	for _, k := range c.Slots {
		if k < 1 || k > 64 {
			return fmt.Errorf("timing: %d slots are outside 1 to 64", k)
		}
	}
	return nil
}

// Took is how long something took and how much computing time of all processors.
type Took struct{ Wall, CPU time.Duration }

// Decode is one length of window.
type Decode struct {
	Audio  time.Duration
	Words  int  // that came
	Forced int  // of them, in the forced partial
	Free   Took // a partial that says all words itself
	Forces Took // a partial on which all but the last words are forced
}

// Step is the decoder's time for a word, which is a token where the model is one
// of engine/models/random; less what forcing a token costs.
func (d Decode) Step() Took {
	n := time.Duration(max(d.Forced, 1))
	return Took{max(d.Free.Wall-d.Forces.Wall, 0) / n, max(d.Free.CPU-d.Forces.CPU, 0) / n}
}

// Encode is what is left of the forced partial without its steps: the encoder and
// one call of the decoder for all that is forced.
func (d Decode) Encode() Took {
	step, n := d.Step(), time.Duration(d.Words-d.Forced)
	return Took{max(d.Forces.Wall-n*step.Wall, 0), max(d.Forces.CPU-n*step.CPU, 0)}
}

// Throughput is what several slots do at once.
type Throughput struct {
	Slots    int
	Partials float64 // a second, forced ones of the window of Report.Together
	CPU      float64 // processors kept busy
}

// Report is what was measured.
type Report struct {
	Model    string
	Library  string // version of whisper.cpp
	Device   whisper.Device
	Threads  int
	Decodes  []Decode
	Final    Took // of FinalOf
	FinalOf  time.Duration
	Together time.Duration
	Busy     []Throughput
}

// windows are lengths whose partials take encoders of 256 (where the model is
// for that), 512, 768, 1024, 1280 and 1500 positions.
var windows = []time.Duration{4 * time.Second, 9 * time.Second, 14 * time.Second, 19 * time.Second, 24 * time.Second, 27 * time.Second}

// together is the window that all slots decode.
const together = 9 * time.Second

// ErrNoCard: there is no graphics card that ggml can use.
var ErrNoCard = errors.New("no graphics card was found by ggml")

// Run measures. tell is called before each step with what is being done.
func Run(ctx context.Context, c Config, tell func(string)) (Report, error) {
	if err := c.Validate(); err != nil {
		return Report{}, err
	}
	if c.Windows == nil {
		c.Windows = windows
	}
	if err := c.card(); err != nil {
		return Report{}, err
	}
	tell("loading " + c.Model)
	model, err := whisper.Load(whisper.Config{Path: c.Model, Backends: c.Paths.Backends, GPU: c.GPU, Threads: c.Threads, Short: c.Short})
	if err != nil {
		return Report{}, err
	}
	r := Report{Model: c.Model, Library: whisper.Version(), Device: model.Device(), Threads: max(c.Threads, 1), Together: together}
	err = withSlots(model, 1, func(slots []*whisper.Slot) error { return c.single(ctx, slots[0], &r, tell) })
	for _, k := range c.Slots {
		if err == nil && c.Busy > 0 {
			tell(fmt.Sprintf("%d slots at once", k))
			err = withSlots(model, k, func(slots []*whisper.Slot) error {
				t, err := c.busy(ctx, slots)
				r.Busy = append(r.Busy, t)
				return err
			})
		}
	}
	return r, errors.Join(err, model.Close())
}

// card fails where there is no graphics card and one is wanted, and lists what there is.
func (c Config) card() error {
	if !c.Only {
		return nil
	}
	devices, err := whisper.Devices(c.Paths.Backends)
	if err != nil {
		return err
	}
	var names []string
	for _, d := range devices {
		if d.Type == whisper.Graphics {
			return nil
		}
		names = append(names, fmt.Sprintf("%s (%s, %s)", d.Name, d.Description, d.Type))
	}
	return fmt.Errorf("%w in %s; devices: %s", ErrNoCard, c.Paths.Backends, strings.Join(names, ", "))
}

// withSlots opens k slots for the time of a call.
func withSlots(m *whisper.Model, k int, use func([]*whisper.Slot) error) (err error) {
	var slots []*whisper.Slot
	defer func() {
		for _, s := range slots {
			err = errors.Join(err, s.Close())
		}
	}()
	for range k {
		s, err := m.Open()
		if err != nil {
			return err
		}
		slots = append(slots, s)
	}
	return use(slots)
}

// window is a piece of speech whose spectrum is remembered from run to run.
func (c Config) window(length time.Duration) engine.Window {
	n := codec.Samples(length, codec.SpeechRate)
	audio := make([]float32, 0, n)
	for len(audio) < n {
		audio = append(audio, c.Speech[:min(len(c.Speech), n-len(audio))]...)
	}
	return engine.Window{Audio: audio, Language: "en", Memo: &engine.Memo{}}
}
