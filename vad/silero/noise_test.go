//go:build cgo

package silero

import (
	"fmt"
	"math"
	"math/rand/v2"
)

const seconds = 6

// noises makes what is heard on lines and in rooms and is not speech.
func noises() map[string][]float32 {
	set := map[string][]float32{
		"silence": make([]float32, seconds*sampleRate),
		"dc":      tones(0.3, 0),
		"clicks":  clicks(),
		"DTMF":    dtmf(),
		"melody":  melody(),
	}
	for _, db := range []int{-70, -50, -40, -30, -20, -10} {
		level := math.Pow(10, float64(db)/20)
		set[fmt.Sprintf("white %d dB", db)] = white(level)
		set[fmt.Sprintf("pink %d dB", db)] = pink(level)
	}
	for _, level := range []float64{0.01, 0.1, 0.5} {
		set[fmt.Sprintf("hum 50 Hz %g", level)] = tones(level, 50, 100, 150, 250)
		set[fmt.Sprintf("hum 60 Hz %g", level)] = tones(level, 60, 120, 180, 300)
		set[fmt.Sprintf("C major %g", level)] = tones(level, 261.63, 329.63, 392, 523.25)
		set[fmt.Sprintf("A 440 %g", level)] = tones(level, 440)
		set[fmt.Sprintf("sine 1 kHz %g", level)] = tones(level, 1000)
	}
	return set
}

// make16k fills seconds of audio from a function of time in seconds.
func make16k(f func(t float64) float64) []float32 {
	audio := make([]float32, seconds*sampleRate)
	for i := range audio {
		audio[i] = float32(f(float64(i) / sampleRate))
	}
	return audio
}

// tones sums sines of a total amplitude; 0 Hz is a constant.
func tones(level float64, hz ...float64) []float32 {
	return make16k(func(t float64) (x float64) {
		for _, f := range hz {
			x += level / float64(len(hz)) * math.Cos(2*math.Pi*f*t)
		}
		return x
	})
}

// white is Gaussian noise of an effective value.
func white(rms float64) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	return make16k(func(float64) float64 { return rms * r.NormFloat64() })
}

// pink sums octaves of noise, each held twice as long as the one before
// (the method of Voss).
func pink(rms float64) []float32 {
	const octaves = 12
	r := rand.New(rand.NewPCG(3, 4))
	var held [octaves]float64
	n := 0
	return make16k(func(float64) (x float64) {
		for o := range held {
			if n%(1<<o) == 0 {
				held[o] = r.NormFloat64()
			}
			x += held[o]
		}
		n++
		return rms / math.Sqrt(octaves) * x
	})
}

// clicks are single full-scale samples and short bursts at uneven times.
func clicks() []float32 {
	r := rand.New(rand.NewPCG(5, 6))
	audio := make([]float32, seconds*sampleRate)
	for at := 0; at < len(audio); at += 1000 + r.IntN(9000) {
		for i := range min(1+r.IntN(40), len(audio)-at) {
			audio[at+i] = float32(1 - 2*(i%2))
		}
	}
	return audio
}

// dtmf dials: 100 ms a key, 100 ms between.
func dtmf() []float32 {
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	return make16k(func(t float64) float64 {
		key, in := int(t/0.2), math.Mod(t, 0.2)
		if in > 0.1 {
			return 0
		}
		return 0.25 * (math.Sin(2*math.Pi*low[key%4]*t) + math.Sin(2*math.Pi*high[key/4%4]*t))
	})
}

// melody plays decaying notes with harmonics, four a second.
func melody() []float32 {
	notes := []float64{261.63, 293.66, 329.63, 349.23, 392, 440, 493.88, 523.25}
	return make16k(func(t float64) (x float64) {
		f, in := notes[int(t*4)*5%len(notes)], math.Mod(t, 0.25)
		for h := 1.0; h <= 4; h++ {
			x += 0.4 / h * math.Exp(-in*6*h) * math.Sin(2*math.Pi*f*h*in)
		}
		return x
	})
}
