package whisper

import (
	"errors"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"parley/codec"
	"parley/engine"
)

// sound is what a window sounds like before anything is recognised, from the
// root mean squares of frames of 20 ms.
type sound struct {
	loudest float64
	voiced  float64   // share of frames that are within 30 dB of the loudest
	frames  []int     // which ones those are
	levels  []float64 // of the frames, in dB
	offset  float32   // mean of the samples
	steady  bool      // noise or a tone: its brightness never changes as speech does
}

const (
	frame    = 320
	audible  = 0.0005 // -66 dB of full scale
	swing    = 1.35   // between the quiet and the loud frames of any speech
	steadyIn = 15     // frames that are needed to call it steady
)

// silent says that nobody can have heard anything.
func (s sound) silent() bool { return s.loudest < audible }

// after is how much of the sound comes after a time.
func (s sound) after(t time.Duration) time.Duration {
	n := len(s.frames)
	i, _ := slices.BinarySearch(s.frames, codec.Samples(t, codec.SpeechRate)/frame)
	return codec.Duration((n-i)*frame, codec.SpeechRate)
}

// listen measures a window. It is an error where a sample is no number.
func listen(audio []float32) (sound, error) {
	var s sound
	var plain, bright []float64
	last, samples, total := float32(0), len(audio), 0.0
	for len(audio) > 0 {
		n := min(frame, len(audio))
		var sum, mean, diff float64
		for _, x := range audio[:n] {
			sum += float64(x) * float64(x)
			mean += float64(x) / float64(n)
			diff += float64(x-last) * float64(x-last)
			last = x
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return sound{}, errors.New("whisper: the audio holds samples that are no numbers")
		}
		total += mean * float64(n)
		rms := math.Sqrt(max(0, sum/float64(n)-mean*mean)) // nobody hears an offset
		s.loudest = max(s.loudest, rms)
		plain = append(plain, rms)
		if rms >= audible && n == frame {
			bright = append(bright, diff)
		}
		audio = audio[n:]
	}
	for i, rms := range plain {
		if rms >= audible && rms >= s.loudest/32 {
			s.frames = append(s.frames, i)
		}
	}
	s.levels = make([]float64, len(plain))
	for i, rms := range plain {
		s.levels[i] = 20 * math.Log10(max(rms, 1e-6))
	}
	s.voiced = float64(len(s.frames)) / float64(max(len(plain), 1))
	s.steady = steady(bright)
	s.offset = float32(total / float64(max(samples, 1)))
	return s, nil
}

// centred is audio without its offset, which would end in a click where the
// decoder goes on with silence.
func (s sound) centred(audio []float32) []float32 {
	if math.Abs(float64(s.offset)) < 0.01 {
		return audio
	}
	out := make([]float32, len(audio))
	for i, x := range audio {
		out[i] = x - s.offset
	}
	return out
}

// steady compares the energies of quiet and loud frames of a differentiated
// signal: the difference makes coloured noise white, whose frames are all alike.
func steady(energies []float64) bool {
	if len(energies) < steadyIn {
		return false
	}
	slices.Sort(energies)
	n := len(energies)
	return math.Sqrt(energies[n*9/10]/max(energies[n/10], 1e-12)) < swing
}

// share lays words over the frames that hold sound, longer ones over more.
func (s sound) share(words []engine.Word) {
	if len(s.frames) == 0 {
		return
	}
	total := 0
	for _, w := range words {
		total += weight(w)
	}
	at := func(part int) time.Duration { // where so much of the text has been said
		n := part * len(s.frames) / max(total, 1)
		if n < len(s.frames) {
			return codec.Duration(s.frames[n]*frame, codec.SpeechRate)
		}
		return codec.Duration((s.frames[n-1]+1)*frame, codec.SpeechRate)
	}
	part := 0
	for i, w := range words {
		words[i].Start = at(part)
		part += weight(w)
		words[i].End = at(part)
	}
}

func weight(w engine.Word) int { return 1 + utf8.RuneCountInString(w.Text) }
