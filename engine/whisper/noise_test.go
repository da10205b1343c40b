//go:build cgo

package whisper

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"parley/codec"
	"parley/engine"
	"parley/vad"
	"parley/vad/onnx"
	"parley/vad/silero"
)

// noise is a sound that is no speech.
type noise struct {
	name string
	pcm  []float32
}

// made is so many seconds of a function of time in seconds.
func made(seconds float64, f func(t float64) float64) []float32 {
	pcm := make([]float32, int(seconds*codec.SpeechRate))
	for i := range pcm {
		pcm[i] = float32(max(-1, min(1, f(float64(i)/codec.SpeechRate))))
	}
	return pcm
}

func sine(hz, t float64) float64 { return math.Sin(2 * math.Pi * hz * t) }

// decay falls from 1 at a multiple of period, to 1/e in so many seconds.
func decay(t, period, in float64) float64 { return math.Exp(-math.Mod(t, period) / in) }

// white is Gaussian noise of effective value 1.
func white(seed uint64) func(float64) float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(float64) float64 { return r.NormFloat64() }
}

// pink sums octaves of noise, each held twice as long as the one before (Voss).
func pink(seed uint64) func(float64) float64 {
	r := rand.New(rand.NewPCG(seed, 2))
	var held [12]float64
	n := 0
	return func(float64) (x float64) {
		for o := range held {
			if n%(1<<o) == 0 {
				held[o] = r.NormFloat64()
			}
			x += held[o]
		}
		n++
		return x / math.Sqrt(12)
	}
}

// band is noise between two frequencies, each side falling by 6 dB an octave.
func band(seed uint64, low, high float64) func(float64) float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	a, b := math.Exp(-2*math.Pi*high/codec.SpeechRate), math.Exp(-2*math.Pi*low/codec.SpeechRate)
	var smooth, slow float64
	gain := math.Sqrt(codec.SpeechRate / 2 / (high - low))
	return func(float64) float64 {
		smooth = a*smooth + (1-a)*r.NormFloat64()
		slow = b*slow + (1-b)*smooth
		return gain * (smooth - slow)
	}
}

func times(level float64, f func(float64) float64) func(float64) float64 {
	return func(t float64) float64 { return level * f(t) }
}

func chord(t float64, hz ...float64) (x float64) {
	for _, f := range hz {
		for h := 1.0; h <= 4; h++ {
			x += sine(f*h, t) / h
		}
	}
	return x / float64(2*len(hz))
}

// steadyNoises do not change while they last.
func steadyNoises() []noise {
	n := []noise{
		{"silence", make([]float32, 5*codec.SpeechRate)},
		{"silence 30 s", make([]float32, 30*codec.SpeechRate)},
		{"DC offset", made(5, func(float64) float64 { return 0.4 })},
		{"DC offset and hiss", made(5, func(t float64) float64 { return 0.4 + 0.01*white(1)(t) })},
		{"white 1 s", made(1, times(0.1, white(2)))},
		{"white 30 s", made(30, times(0.03, white(3)))},
		{"clipped white", made(4, times(3, white(4)))},
		{"clipped hum", made(4, func(t float64) float64 { return 5 * sine(50, t) })},
		{"hum 50 Hz", made(5, func(t float64) float64 { return 0.2*sine(50, t) + 0.1*sine(150, t) + 0.05*sine(250, t) })},
		{"hum 60 Hz", made(5, func(t float64) float64 { return 0.2*sine(60, t) + 0.1*sine(120, t) + 0.05*sine(180, t) })},
		{"dial tone", made(6, func(t float64) float64 { return 0.1 * (sine(350, t) + sine(440, t)) })},
		{"square wave", made(3, func(t float64) float64 { return 0.2 * math.Copysign(1, sine(220, t)) })},
	}
	for i, level := range []float64{0.001, 0.01, 0.1} {
		name := []string{"-60 dB", "-40 dB", "-20 dB"}[i]
		n = append(n, noise{"white " + name, made(4, times(level, white(5)))},
			noise{"pink " + name, made(4, times(level, pink(6)))},
			noise{"brown " + name, made(4, times(level*3, band(7, 5, 60)))})
	}
	return n
}

// movingNoises rise and fall, as speech does.
func movingNoises() []noise {
	notes := []float64{261.63, 293.66, 329.63, 349.23, 392, 440, 493.88, 523.25}
	note := func(t, per float64) float64 { return notes[int(t/per)*5%len(notes)] }
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	r := rand.New(rand.NewPCG(8, 8))
	keys := make([]float64, 60) // strokes
	for i := range keys {
		keys[i] = float64(i)*0.17 + r.Float64()*0.1
	}
	burst := func(t, period, in, level float64, f func(float64) float64) float64 {
		return level * decay(t, period, in) * f(t)
	}
	breath, wind, snare, hiss, rumble, applause := band(9, 300, 3000), band(10, 20, 300), white(11), white(12), band(13, 50, 500), band(14, 500, 5000)
	strokes, cough, kick := white(15), band(16, 400, 2500), white(17)
	return []noise{
		{"breath", made(8, func(t float64) float64 { return 0.03 * math.Pow(max(0, sine(0.3, t)), 2) * breath(t) })},
		{"loud breath", made(6, func(t float64) float64 { return 0.1 * math.Pow(max(0, sine(0.4, t)), 2) * breath(t) })},
		{"wind", made(10, func(t float64) float64 { return 0.2 * (0.3 + math.Pow(sine(0.23, t), 2)) * wind(t) })},
		{"clicks", made(5, func(t float64) float64 { return burst(t, 0.37, 0.0005, 0.8, hiss) })},
		{"typing", made(8, func(t float64) (x float64) {
			for _, k := range keys {
				if t >= k && t < k+0.03 {
					x += 0.2 * math.Exp(-(t-k)/0.005) * strokes(t)
				}
			}
			return x
		})},
		{"knocks", made(4, func(t float64) float64 {
			return burst(t, 0.5, 0.02, 0.5, func(t float64) float64 { return sine(140, t) })
		})},
		{"cough", made(3, func(t float64) float64 { return burst(t, 0.7, 0.08, 0.5, cough) })},
		{"one short burst", made(1, func(t float64) float64 { return burst(max(0, t-0.4)+9*max(0, 0.4-t), 9, 0.05, 0.4, kick) })},
		{"applause", made(6, func(t float64) float64 { return 0.1 * (1 + 0.5*sine(7, t)) * applause(t) })},
		{"modulated noise 4 Hz", made(6, func(t float64) float64 { return 0.1 * (1 + sine(4, t)) * rumble(t) })},
		{"DTMF", made(4, func(t float64) float64 {
			if math.Mod(t, 0.2) > 0.1 {
				return 0
			}
			k := int(t / 0.2)
			return 0.2 * (sine(low[k%4], t) + sine(high[k/4%4], t))
		})},
		{"ring", made(12, func(t float64) float64 {
			if math.Mod(t, 6) > 2 {
				return 0
			}
			return 0.1 * (sine(440, t) + sine(480, t))
		})},
		{"busy", made(5, func(t float64) float64 {
			if math.Mod(t, 1) > 0.5 {
				return 0
			}
			return 0.1 * (sine(480, t) + sine(620, t))
		})},
		{"fax", made(5, func(t float64) float64 { return 0.2 * sine(1100, t) * math.Copysign(1, sine(1, t)) })},
		{"siren", made(6, func(t float64) float64 {
			return 0.3 * math.Sin(2*math.Pi*(900*t-400/(2*math.Pi*0.5)*math.Cos(2*math.Pi*0.5*t)))
		})},
		{"chirps", made(4, func(t float64) float64 {
			in := math.Mod(t, 0.4)
			return 0.2 * math.Exp(-in*12) * math.Sin(2*math.Pi*(2500*in+3000*in*in))
		})},
		{"chords", made(8, func(t float64) float64 { f := note(t, 1); return 0.4 * decay(t, 1, 0.5) * chord(t, f, f*1.25, f*1.5) })},
		{"melody", made(6, func(t float64) float64 { return 0.3 * decay(t, 0.25, 0.15) * chord(t, note(t, 0.25)) })},
		{"violin", made(6, func(t float64) float64 {
			f := note(t, 1.5)
			return 0.3 * math.Sqrt(math.Abs(sine(1/3.0, t))) * chord(t+0.002*sine(6, t)/6, f)
		})},
		{"drums", made(6, func(t float64) float64 {
			return burst(t, 0.5, 0.08, 0.5, func(t float64) float64 { return sine(60, t) }) + burst(t+0.25, 0.5, 0.04, 0.15, snare)
		})},
		{"music", made(12, func(t float64) float64 {
			f := note(t, 2)
			return 0.2*decay(t, 2, 1)*chord(t, f/2, f, f*1.25) + 0.2*decay(t, 0.5, 0.2)*chord(t, note(t, 0.5)*2) + burst(t, 0.5, 0.08, 0.3, func(t float64) float64 { return sine(60, t) })
		})},
	}
}

// believed are the sounds that the bundled model takes for speech when a slot
// gets them without a voice detector.
var believed = []string{
	"loud breath", "wind", "typing", "cough", "one short burst", "applause", "modulated noise 4 Hz", "siren", "chirps", "chords", "melody", "violin", "drums", "music",
}

// TestNoiseIsNoText is the regression set of sounds that are no speech: the voice
// detector gives nothing of them to be decoded, and most a slot refuses by itself.
func TestNoiseIsNoText(t *testing.T) {
	t.Parallel()
	cut := segmenter(t)
	s := open(t, load(t))
	for i, n := range append(steadyNoises(), movingNoises()...) {
		if u := cut(t, n.pcm); len(u) > 0 {
			t.Errorf("%s: the voice detector hears %d utterances", n.name, len(u))
		}
		heard := final(t, s, n.pcm, nil).Words
		if i%4 == 0 && len(heard) == 0 {
			p, err := s.Partial(context.Background(), engine.Window{Audio: n.pcm}, nil)
			if err != nil {
				t.Fatal(err)
			}
			heard = p.Words
		}
		if len(heard) > 0 {
			t.Logf("%s, given to a slot: %q %.2f", n.name, engine.Text(heard), engine.Confidence(heard))
		}
		if len(heard) > 0 && !slices.Contains(believed, n.name) {
			t.Errorf("%s: a slot hears %q", n.name, engine.Text(heard))
		}
	}
}

// TestSpeechSurvives what lines and microphones do to it, on the whole way from
// the voice detector to the words.
func TestSpeechSurvives(t *testing.T) {
	t.Parallel()
	cut := segmenter(t)
	s := open(t, load(t))
	hiss, mains := white(20), 2*math.Pi*50/codec.SpeechRate
	for name, change := range map[string]func(i int, x float64) float64{
		"as it is":       func(_ int, x float64) float64 { return x },
		"30 dB quieter":  func(_ int, x float64) float64 { return x / 32 },
		"DC offset":      func(_ int, x float64) float64 { return x/2 + 0.4 },
		"clipped":        func(_ int, x float64) float64 { return max(-0.3, min(0.3, 3*x)) },
		"noise at 20 dB": func(_ int, x float64) float64 { return x + 0.006*hiss(0) },
		"hum":            func(i int, x float64) float64 { return x + 0.05*math.Sin(float64(i)*mains) },
	} {
		wrong, all := 0, 0
		for _, text := range []string{domain[0], domain[8], domain[16]} {
			audio := slices.Concat(make([]float32, codec.SpeechRate/2), speak(t, "slt", text), make([]float32, codec.SpeechRate))
			for i, x := range audio {
				audio[i] = float32(change(i, float64(x)))
			}
			heard := ""
			for _, u := range cut(t, audio) {
				heard += " " + plain(final(t, s, u, nil).Words)
			}
			bad, n := errorsIn(text, heard)
			wrong, all = wrong+bad, all+n
			if bad > 0 {
				t.Logf("%s: %q for %q", name, heard, text)
			}
		}
		if wrong > all/4 {
			t.Errorf("%s: %d of %d words are wrong", name, wrong, all)
		}
	}
	for _, n := range []int{1, 160, 640, 1600} { // up to 100 ms
		decodeBoth(t, s, speak(t, "slt", "yes")[6400:6400+n])
	}
}

var environment sync.Mutex

// segmenter cuts audio into utterances as a session does.
func segmenter(t *testing.T) func(t *testing.T, audio []float32) [][]float32 {
	t.Helper()
	environment.Lock() // of onnxruntime: one at a time
	t.Cleanup(environment.Unlock)
	library := filepath.Join(os.Getenv("PARLEY_NATIVE_DIR"), "lib", "libonnxruntime.so.1")
	if err := onnx.Initialize(library); err != nil {
		t.Fatal(err)
	}
	m, err := silero.Open()
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.NewDetector()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, close := range []func() error{d.Close, m.Close, onnx.Shutdown} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	return func(t *testing.T, audio []float32) (found [][]float32) {
		t.Helper()
		d.Reset()
		g, err := vad.New(vad.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		take := func(e vad.Event) {
			if e.Kind == vad.End {
				found = append(found, audio[e.From:e.To])
			}
		}
		for at := 0; at+vad.FrameSize <= len(audio); at += vad.FrameSize {
			p, err := d.Probability(audio[at : at+vad.FrameSize])
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range g.Push(p) {
				take(e)
			}
		}
		if e, ok := g.End(int64(len(audio))); ok {
			take(e)
		}
		return found
	}
}
