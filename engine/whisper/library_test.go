//go:build cgo

package whisper

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/codectest"
	"parley/engine"
)

// faulty is the newest version of the library that was seen to have the faults
// below. A newer one may be rid of them: its tests then only tell.
const faulty = "1.9.5-dev"

// gone reports that a fault does not show: an error in versions that have it,
// for then the test has lost sight of it, and a note in others.
func gone(t *testing.T, what, then string) {
	t.Helper()
	if Version() == faulty {
		t.Errorf("whisper.cpp %s has the fault that %s, but it does not show here", faulty, what)
		return
	}
	t.Logf("whisper.cpp %s seems to be rid of the fault that %s (up to %s at least): %s", Version(), what, faulty, then)
}

// lengths are those of the encoder that partials use.
var lengths = []int{1280, 1024, 768, 512, 256}

func newTestState(t *testing.T, m *Model) *state {
	t.Helper()
	s, err := m.weights.newState()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.free)
	return s
}

// sounds are two that have nothing in common.
func sounds(t *testing.T) (speech, other []float32) {
	speech = codectest.Speech(t)[:5*codec.SpeechRate]
	return speech, made(3, times(0.1, white(1)))
}

// TestLogitsOnFreshAndUsedState: whatever a slot and so another session did
// before, the same audio gives the same numbers, for every length of the encoder
// that is in use. Nothing of another session may be heard in this one's.
func TestLogitsOnFreshAndUsedState(t *testing.T) {
	t.Parallel()
	m := load(t)
	speech, other := sounds(t)
	used := newTestState(t, m)
	row(t, used, &guess{pcm: other, encoder: lengths[0]})
	for _, n := range lengths { // each after a longer one that left more behind
		want := row(t, newTestState(t, m), &guess{pcm: speech, encoder: n})
		if got := row(t, used, &guess{pcm: speech, encoder: n}); !slices.Equal(want, got) {
			t.Errorf("encoder of %d: on a used state the logits differ by %v", n, distance(want, got))
		}
	}
	want := row(t, newTestState(t, m), &guess{pcm: speech})
	final := newTestState(t, m)
	row(t, final, &guess{pcm: other})
	if got := row(t, final, &guess{pcm: speech}); !slices.Equal(want, got) {
		t.Errorf("the model's own encoder: on a used state the logits differ by %v", distance(want, got))
	}
}

// TestFlashAttentionReadsWhatWasLeft has the fault that makes a slot keep two
// states and partials use encoder lengths in whole 256: attention is padded to
// that, not masked, and reads there what another run has left.
func TestFlashAttentionReadsWhatWasLeft(t *testing.T) {
	t.Parallel()
	m := load(t)
	speech, other := sounds(t)
	for _, tc := range []struct{ n, before int }{{200, 256}, {0, 512}} {
		want := row(t, newTestState(t, m), &guess{pcm: speech, encoder: tc.n})
		used := newTestState(t, m)
		row(t, used, &guess{pcm: other, encoder: tc.before})
		got := row(t, used, &guess{pcm: speech, encoder: tc.n})
		d := distance(want, got)
		t.Logf("encoder of %d after one of %d: logits of up to %.3f differ by %.3f", tc.n, tc.before, slices.Max(want), d)
		if d == 0 {
			gone(t, "attention reads padding", "one state a slot and encoders of any length would do")
		}
	}
}

// TestNoSpeechIsStale has the fault that makes finals of multilingual models
// ignore the probability that nobody speaks: it is read from a row of logits that
// the prompt of such a model never fills.
func TestNoSpeechIsStale(t *testing.T) {
	t.Parallel()
	m := load(t, func(c *Config) { c.Path, c.Short = randomModel(t, 80), false })
	speech, _ := sounds(t)
	s := newTestState(t, m)
	var p []float32
	for range 2 {
		j := &job{pcm: speech, language: m.languages["de"], params: (&Slot{model: m}).params(engine.Window{}, false, 0, time.Second)}
		if _, _, _, err := s.decode(context.Background(), j); err != nil {
			t.Fatal(err)
		}
		p = append(p, s.noSpeech())
	}
	t.Logf("the same twice on a new state: %v; one of all tokens: %v", p, 1/float32(tokens))
	if p[0] == p[1] {
		gone(t, "no_speech_prob of multilingual models is read from logits that were not computed", "finals may use the threshold again")
	}
}
