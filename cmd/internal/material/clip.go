// Package material is what a load test lets people say: recordings with what is
// said in them, or sentences that synthesisers speak. It finds out from the
// sound itself when speech begins and ends, so that latencies are measured
// against the truth and not against what a server believes.
package material

import (
	"errors"
	"math"
	"slices"
	"time"

	"parley/codec"
	"parley/codec/opus"
)

// Frame is what one packet covers.
const Frame = opus.FrameDuration

// FrameSamples of a frame at codec.SpeechRate.
const FrameSamples = codec.SpeechRate / 50

// Clip is one piece of speech, a whole number of frames long, with silence
// before and after it.
type Clip struct {
	Name       string
	Text       string        // what is said; "" where nobody knows
	PCM        []float32     // mono at codec.SpeechRate
	Packets    [][]byte      // the same as Opus, one packet a frame
	Start, End time.Duration // of speech in it
}

// Frames is how long the clip is.
func (c Clip) Frames() int { return len(c.Packets) }

// Speech is how long somebody speaks in it.
func (c Clip) Speech() time.Duration { return c.End - c.Start }

// pad is the silence put round a clip: enough for an Opus decoder that comes
// from other silence to forget what was before.
const pad = 5 * FrameSamples

// NewClip makes a clip of samples at codec.SpeechRate. It fails where there is
// nothing to be heard.
func NewClip(name, text string, pcm []float32) (Clip, error) {
	start, end, ok := bounds(pcm)
	if !ok {
		return Clip{}, errors.New("there is no speech in it")
	}
	whole := slices.Concat(make([]float32, pad), pcm, make([]float32, pad))
	if rest := len(whole) % FrameSamples; rest > 0 {
		whole = append(whole, make([]float32, FrameSamples-rest)...)
	}
	packets, err := encode(whole)
	if err != nil {
		return Clip{}, err
	}
	at := func(n int) time.Duration { return codec.Duration(n+pad, codec.SpeechRate) }
	return Clip{Name: name, Text: text, PCM: whole, Packets: packets[:len(whole)/FrameSamples], Start: at(start), End: at(end)}, nil
}

// Silence is the packet of a frame in which nothing is heard.
func Silence() ([]byte, error) {
	packets, err := encode(make([]float32, codec.SpeechRate))
	if err != nil {
		return nil, err
	}
	return packets[len(packets)/2], nil
}

func encode(pcm []float32) (packets [][]byte, err error) {
	enc, err := opus.NewEncoder(opus.Config{SourceRate: codec.SpeechRate})
	if err != nil {
		return nil, err
	}
	keep := func(p codec.Packet) error {
		packets = append(packets, p.Payload)
		return nil
	}
	if err := enc.Encode(pcm, keep); err != nil {
		return nil, err
	}
	return packets, enc.Flush(keep)
}

// What counts as sound: steps of 10 ms, at least 30 ms of them in a row that are
// three times (10 dB) as loud as the quietest tenth and not 30 dB below the
// loudest twentieth.
const (
	step      = codec.SpeechRate / 100
	run       = 3
	overFloor = 3
	belowLoud = 0.032
	faintest  = 1e-4
)

// bounds finds the first and the last sample of speech in a recording by its
// energy. Where nearly all of it is speech, the quietest tenth says nothing.
func bounds(pcm []float32) (start, end int, ok bool) {
	var levels []float64
	for i := 0; i+step <= len(pcm); i += step {
		sum := 0.0
		for _, x := range pcm[i : i+step] {
			sum += float64(x) * float64(x)
		}
		levels = append(levels, math.Sqrt(sum/step))
	}
	if len(levels) < run {
		return 0, 0, false
	}
	sorted := slices.Sorted(slices.Values(levels))
	floor, loud := sorted[len(sorted)/10], sorted[len(sorted)*19/20]
	least := max(faintest, belowLoud*loud)
	if overFloor*floor < loud/overFloor {
		least = max(least, overFloor*floor)
	}
	first, last, in := -1, -1, 0
	for i, l := range levels {
		if l < least {
			in = 0
			continue
		}
		if in++; in < run {
			continue
		}
		if first < 0 {
			first = i - run + 1
		}
		last = i + 1
	}
	return first * step, last * step, first >= 0
}
