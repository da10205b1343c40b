package speech

import (
	"math"
	"time"

	"parley/engine"
)

const (
	keepSilence = 25 * time.Millisecond // left at each end of a phrase
	crossfade   = 8 * time.Millisecond
	maxHeld     = 500 * time.Millisecond // longest silence held back in case it is the last
	quiet       = 0.005                  // amplitude of silence, -46 dB
)

// joiner makes one stream of the audio of phrases: silence round each phrase is
// trimmed and replaced by a pause that fits the text, and no join clicks. It
// holds back silence and the last few milliseconds of sound only. All phrases
// must have the same rate.
type joiner struct {
	rate int
	sent int           // samples given out
	tail []float32     // end of the phrase before, trimmed, not yet sent
	rest int           // samples of silence at the end of tail
	gap  time.Duration // wanted before the next sound

	held   []float32 // of this phrase, not yet sent
	silent int       // samples of silence at the end of held
	begun  bool      // this phrase has sounded
	joined bool      // and its beginning is placed
	offset int       // from samples of this phrase to samples of the stream
	taken  int       // samples of this phrase received
	early  []placed  // marks of this phrase until it is joined
	marks  []placed  // marks not yet sent, by sample of the stream
}

// placed is a mark with its sample.
type placed struct {
	mark   engine.Mark
	sample int
}

func (j *joiner) samples(d time.Duration) int { return int(d * time.Duration(j.rate) / time.Second) }

// begin starts a phrase after a pause.
func (j *joiner) begin(pause time.Duration) {
	j.gap = max(j.gap, pause)
	j.held, j.silent, j.taken = nil, 0, 0
	j.begun, j.joined, j.early = false, false, nil
}

// push takes in audio and sends what need not be held back.
func (j *joiner) push(c engine.Chunk, emit func(engine.Chunk) error) error {
	j.rate = c.Rate
	for _, m := range c.Marks {
		if at := j.samples(m.At); j.joined {
			j.marks = append(j.marks, placed{m, at + j.offset})
		} else {
			j.early = append(j.early, placed{m, at})
		}
	}
	j.taken += len(c.PCM)
	j.held = append(j.held, c.PCM...)
	last := len(c.PCM) - 1
	for last >= 0 && c.PCM[last] > -quiet && c.PCM[last] < quiet {
		last--
	}
	if last >= 0 {
		j.silent = 0
	}
	j.silent += len(c.PCM) - 1 - last
	if !j.begun {
		j.trimFront(last >= 0)
	}
	if !j.begun || (!j.joined && len(j.held) < j.samples(crossfade)) {
		return nil
	}
	if err := j.join(emit); err != nil {
		return err
	}
	n := min(len(j.held)-j.silent, len(j.held)-j.samples(crossfade))
	n = max(n, len(j.held)-j.samples(maxHeld))
	if n <= 0 {
		return nil
	}
	out := j.held[:n]
	j.held = append([]float32(nil), j.held[n:]...)
	j.silent = min(j.silent, len(j.held))
	return j.send(out, emit)
}

// trimFront leaves a little of the silence before the first sound.
func (j *joiner) trimFront(sound bool) {
	first := len(j.held)
	if sound {
		first = 0
		for j.held[first] > -quiet && j.held[first] < quiet {
			first++
		}
		j.begun = true
	}
	j.held = j.held[max(0, first-j.samples(keepSilence)):]
	j.silent = min(j.silent, len(j.held))
}

// join places the beginning of this phrase, held, after tail.
func (j *joiner) join(emit func(engine.Chunk) error) error {
	if j.joined {
		return nil
	}
	j.joined = true
	lead := 0
	for lead < len(j.held) && j.held[lead] > -quiet && j.held[lead] < quiet {
		lead++
	}
	var out []float32
	n := min(j.samples(crossfade), len(j.held))
	switch zeros := j.samples(j.gap) - j.rest - lead; {
	case len(j.tail) == 0:
		fadeIn(j.held[:n])
	case j.gap > 0:
		fadeOut(j.tail[max(0, len(j.tail)-n):])
		fadeIn(j.held[:n])
		out = append(j.tail, make([]float32, max(0, zeros))...)
	default:
		n = min(n, len(j.tail))
		over := j.tail[len(j.tail)-n:]
		fadeOut(over)
		fadeIn(j.held[:n])
		for i, v := range over {
			j.held[i] += v
		}
		out = j.tail[:len(j.tail)-n]
	}
	first := j.taken - len(j.held) // of the phrase, what is trimmed
	start := j.sent + len(out)
	j.offset = start - first
	for _, m := range j.early {
		m.sample = max(m.sample+j.offset, start)
		j.marks = append(j.marks, m)
	}
	j.tail, j.rest, j.gap, j.early = nil, 0, 0, nil
	return j.send(out, emit)
}

// end finishes a phrase: trailing silence is trimmed, the rest waits for the
// next phrase or for close.
func (j *joiner) end(emit func(engine.Chunk) error) error {
	if !j.begun {
		return nil
	}
	if err := j.join(emit); err != nil {
		return err
	}
	j.rest = min(j.silent, j.samples(keepSilence))
	j.tail = j.held[:len(j.held)-j.silent+j.rest]
	j.held, j.begun = nil, false
	for i := range j.marks {
		j.marks[i].sample = min(j.marks[i].sample, j.sent+len(j.tail)-1)
	}
	return nil
}

// close sends what is left.
func (j *joiner) close(emit func(engine.Chunk) error) error {
	out := j.tail
	j.tail, j.rest = nil, 0
	fadeOut(out[max(0, len(out)-j.samples(crossfade)):])
	return j.send(out, emit)
}

// send gives out audio with the marks that begin in it.
func (j *joiner) send(pcm []float32, emit func(engine.Chunk) error) error {
	if len(pcm) == 0 {
		return nil
	}
	j.sent += len(pcm)
	c := engine.Chunk{PCM: pcm, Rate: j.rate}
	for len(j.marks) > 0 && j.marks[0].sample < j.sent {
		m := j.marks[0]
		m.mark.At = time.Duration(m.sample) * time.Second / time.Duration(j.rate)
		c.Marks, j.marks = append(c.Marks, m.mark), j.marks[1:]
	}
	return emit(c)
}

// fadeIn and fadeOut keep the power of two sounds that overlap.
func fadeIn(pcm []float32) {
	for i := range pcm {
		pcm[i] *= float32(math.Sin(math.Pi / 2 * (float64(i) + 0.5) / float64(len(pcm))))
	}
}

func fadeOut(pcm []float32) {
	for i := range pcm {
		pcm[i] *= float32(math.Cos(math.Pi / 2 * (float64(i) + 0.5) / float64(len(pcm))))
	}
}
