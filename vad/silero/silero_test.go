//go:build cgo

package silero

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/codec/codectest"
	"parley/vad"
	"parley/vad/onnx"
)

func TestModelLivesAsLongAsItsDetectors(t *testing.T) {
	m := open(t)
	d := detector(t, m)
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Shutdown(); err == nil {
		t.Fatal("Shutdown under an open detector succeeded")
	}
	if _, err := d.Probability(make([]float32, vad.FrameSize)); err != nil {
		t.Errorf("an open detector of a closed model: %v", err)
	}
	if _, err := m.NewDetector(); err == nil {
		t.Error("a closed model made a detector")
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Probability(make([]float32, vad.FrameSize)); err == nil {
		t.Error("a closed detector answered")
	}
}

// The speech has four groups of words with clear pauses between them.
func TestSpeech(t *testing.T) {
	audio := codectest.Speech(t)
	ps := probabilities(t, detector(t, open(t)), audio)
	for _, words := range [][2]float64{ // seconds
		{0.4, 2.2}, {3.4, 4.4}, {5.5, 7.6}, {8.3, 10.4}} {
		part := ps[int(words[0]*16000/vad.FrameSize):int(words[1]*16000/vad.FrameSize)]
		heard := 0
		for _, p := range part {
			if p > 0.5 {
				heard++
			}
		}
		if heard*100 < len(part)*70 {
			t.Errorf("%v s: %d of %d frames are speech, want 70 %%", words, heard, len(part))
		}
	}

	// Where the four groups begin and end, as a listener would mark them.
	want := [][2]float64{{0.3, 2.2}, {3.3, 4.4}, {5.4, 7.65}, {8.2, 10.6}}
	var got [][2]float64
	for _, e := range segment(t, ps) {
		switch e.Kind {
		case vad.Start:
			got = append(got, [2]float64{float64(e.At) / sampleRate})
		case vad.End:
			got[len(got)-1][1] = float64(e.At) / sampleRate
		}
	}
	near := cmpopts.EquateApprox(0, 0.4)
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("utterances in seconds (-want +got):\n%s", diff)
	}
}

// segment cuts with the default configuration.
func segment(t *testing.T, ps []float32) (events []vad.Event) {
	t.Helper()
	s, err := vad.New(vad.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		events = append(events, s.Push(p)...)
	}
	if e, ok := s.End(int64(len(ps)) * vad.FrameSize); ok {
		events = append(events, e)
	}
	return events
}

func TestNotSpeech(t *testing.T) {
	m := open(t)
	for name, audio := range noises() {
		t.Run(name, func(t *testing.T) {
			ps := probabilities(t, detector(t, m), audio)
			if events := segment(t, ps); len(events) > 0 {
				t.Errorf("heard speech (probability up to %.2f): %+v", slices.Max(ps), events)
			}
		})
	}
}

// Streams that take turns on one model hear what each hears alone.
func TestStateIsPerStream(t *testing.T) {
	m := open(t)
	audio := codectest.Speech(t)[:4*sampleRate]
	a, b := audio, noises()["melody"][:len(audio)]
	wantA, wantB := probabilities(t, detector(t, m), a), probabilities(t, detector(t, m), b)

	dA, dB := detector(t, m), detector(t, m)
	for i := range wantA {
		at := i * vad.FrameSize
		gotA := probabilities(t, dA, a[at:at+vad.FrameSize])[0]
		gotB := probabilities(t, dB, b[at:at+vad.FrameSize])[0]
		if gotA != wantA[i] || gotB != wantB[i] {
			t.Fatalf("frame %d: %v and %v, alone %v and %v", i, gotA, gotB, wantA[i], wantB[i])
		}
	}

	dA.Reset()
	if got := probabilities(t, dA, a); !slices.Equal(got, wantA) {
		t.Error("not the same after Reset")
	}
}

func TestConcurrentStreams(t *testing.T) {
	m := open(t)
	audio := codectest.Speech(t)[:3*sampleRate]
	want := probabilities(t, detector(t, m), audio)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d, err := m.NewDetector()
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			for i, p := range want {
				got, err := d.Probability(audio[i*vad.FrameSize:][:vad.FrameSize])
				if err != nil || got != p {
					t.Errorf("frame %d: %v, %v; alone %v", i, got, err, p)
					return
				}
				if i%16 == 0 { // the bound memory stays where it is
					runtime.GC()
				}
			}
		})
	}
	wg.Wait()
}

// Samples that are no audio leave the detector able to hear what follows.
func TestHostileSamples(t *testing.T) {
	m := open(t)
	audio := codectest.Speech(t)[:2*sampleRate]
	for _, x := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32} {
		d := detector(t, m)
		probabilities(t, d, slices.Repeat([]float32{x}, 20*vad.FrameSize))
		if p := slices.Max(probabilities(t, d, audio)); p < 0.9 {
			t.Errorf("after frames of %v speech has probability %v", x, p)
		}
	}
	silence := noises()["silence"]
	want := probabilities(t, detector(t, m), silence)
	for _, level := range []float64{1e-45, 1e-38, 1e-20, 1e-7} {
		if got := probabilities(t, detector(t, m), tones(level, 100)); !slices.Equal(got, want) {
			t.Errorf("a tone of level %v is not silence", level)
		}
	}
	d := detector(t, m)
	for _, n := range []int{0, vad.FrameSize - 1, vad.FrameSize + 1} {
		if _, err := d.Probability(make([]float32, n)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(n)) {
			t.Errorf("a frame of %d samples: %v", n, err)
		}
	}
}

func TestProbabilityDoesNotAllocate(t *testing.T) {
	d := detector(t, open(t))
	frame := codectest.Speech(t)[8000:][:vad.FrameSize]
	if n := testing.AllocsPerRun(100, func() {
		if _, err := d.Probability(frame); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// One operation is one frame: 32 ms of one stream.
func BenchmarkProbability(b *testing.B) {
	d := detector(b, open(b))
	audio := codectest.Speech(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i * vad.FrameSize % (len(audio) - vad.FrameSize)
		if _, err := d.Probability(audio[at:][:vad.FrameSize]); err != nil {
			b.Fatal(err)
		}
	}
}
