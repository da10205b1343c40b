//go:build cgo

package whisper

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/engine"
)

func final(t *testing.T, s *Slot, audio []float32, p engine.Prefix) engine.Transcript {
	t.Helper()
	f, err := s.Final(context.Background(), engine.Window{Audio: audio}, p)
	if err != nil {
		t.Fatal(err)
	}
	checkWords(t, f.Words, codec.Duration(len(audio), codec.SpeechRate))
	return f
}

// checkWords holds for everything a slot returns: times go forward within the
// window, every word has text and a probability.
func checkWords(t *testing.T, words []engine.Word, length time.Duration) {
	t.Helper()
	at := time.Duration(0)
	for _, w := range words {
		if w.Start < at || w.End <= w.Start || w.End > length || !(w.P >= 0 && w.P <= 1) || strings.TrimSpace(w.Text) != w.Text || w.Text == "" {
			t.Errorf("word %+v after %v in %v", w, at, length)
		}
		at = w.End
	}
}

func prefix(text string) engine.Prefix {
	var p engine.Prefix
	for _, w := range strings.Fields(text) {
		p = append(p, engine.Word{Text: w})
	}
	return p
}

// TestFinalBeginsWithPrefix: with what was right a final says the same as
// without it, as sure of it; what was wrong stays, is not believed, and the rest
// is heard nevertheless. Real models always use the full encoder.
func TestFinalBeginsWithPrefix(t *testing.T) {
	t.Parallel()
	for _, short := range []bool{true, false} {
		s := open(t, load(t, func(c *Config) { c.Short = short }))
		audio := speak(t, "slt", "turn on the light in the kitchen")
		free := final(t, s, audio, nil)
		if len(free.Words) < 6 {
			t.Fatalf("heard %q", engine.Text(free.Words))
		}
		for _, n := range []int{1, 3, len(free.Words)} {
			got := final(t, s, audio, engine.Prefix(free.Words[:n]))
			if d := cmp.Diff(texts(free.Words), texts(got.Words)); d != "" {
				t.Errorf("short %v: after %d words of the same: %s", short, n, d)
			}
			for i, w := range got.Words {
				if d := w.P - free.Words[i].P; d < -0.1 || d > 0.1 {
					t.Errorf("short %v: after %d words %q has P %.3f, free %.3f", short, n, w.Text, w.P, free.Words[i].P)
				}
				if d := (w.Start - free.Words[i].Start).Abs(); d > 100*time.Millisecond {
					t.Errorf("short %v: after %d words %q begins %v elsewhere", short, n, w.Text, d)
				}
			}
		}
		wrong := prefix("Turn off the")
		got := final(t, s, audio, wrong)
		t.Logf("short %v: %+v", short, got)
		if text := engine.Text(got.Words); !strings.HasPrefix(text, "Turn off the light") || !strings.HasSuffix(plain(got.Words), "kitchen") {
			t.Errorf("short %v: %q after %q", short, text, engine.Text(wrong))
		}
		if w := got.Words; w[1].P > 0.5 || w[1].P*3 > free.Words[1].P*2 || got.Confidence >= free.Confidence {
			t.Errorf("short %v: P of a wrong word is %.3f, of the right one %.3f; confidence %.3f, free %.3f", short, w[1].P, free.Words[1].P, got.Confidence, free.Confidence)
		}
	}
}

// TestFinalKeepsItsPromise: whatever was promised, the final begins with it.
func TestFinalKeepsItsPromise(t *testing.T) {
	t.Parallel()
	s, full := open(t, load(t)), open(t, load(t, func(c *Config) { c.Short = false }))
	speech := speak(t, "rms", domain[1])
	half := speech[:len(speech)*2/5]
	long := slices.Concat(speak(t, "slt", domain[0]), make([]float32, 28*codec.SpeechRate), speak(t, "slt", domain[10]))
	for name, c := range map[string]struct {
		slot   *Slot
		audio  []float32
		prefix engine.Prefix
		last   string
	}{
		"nothing to do with it":  {s, speech, prefix("Thank you very much."), ""},
		"more than was said":     {s, half, prefix("Set a timer for ten minutes please and thank you"), ""},
		"silence":                {s, make([]float32, codec.SpeechRate), prefix("Yes please."), ""},
		"no time at all":         {s, speech[:4000], prefix("Set a timer for ten minutes"), ""},
		"too many words":         {s, speech, prefix(strings.Repeat("number ", 300)), ""},
		"odd":                    {s, speech, engine.Prefix{{Text: "\"Set"}, {Text: "ä\x00"}, {Text: "(日"}, {Text: "本", Joined: true}, {Text: "♪"}}, ""},
		"goes on in two windows": {full, long, prefix("Turn on the lights"), "window"},
	} {
		got := final(t, c.slot, c.audio, c.prefix)
		if len(got.Words) < len(c.prefix) {
			t.Errorf("%s: %d words of %d promised", name, len(got.Words), len(c.prefix))
			continue
		}
		if d := cmp.Diff(texts(c.prefix), texts(got.Words[:len(c.prefix)])); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		t.Logf("%s: then %q, confidence %.2f", name, engine.Text(got.Words[len(c.prefix):]), got.Confidence)
		if !strings.Contains(plain(got.Words), c.last) {
			t.Errorf("%s: %q", name, engine.Text(got.Words))
		}
	}
}

// TestFinalKnowsWhatPartialsSaid: it forces the very tokens that a partial of the
// same audio made, and leaves them to the next one.
func TestFinalKnowsWhatPartialsSaid(t *testing.T) {
	t.Parallel()
	m := load(t)
	s := open(t, m)
	w := engine.Window{Audio: speak(t, "slt", domain[0]), Memo: new(engine.Memo)}
	h, err := s.Partial(context.Background(), w, nil)
	if err != nil || len(h.Words) < 5 {
		t.Fatal(h, err)
	}
	known := w.Memo.Take().(*heard)
	text := lead(h.Words)
	odd := append([]int32(nil), m.weights.tokenize(text[:2])...) // another way to say the same
	known.ids = append(odd, m.weights.tokenize(text[2:])...)
	w.Memo.Put(known)
	if d := cmp.Diff(known.ids, m.forcible(w, text)); d != "" {
		t.Errorf("not the partial's tokens: %s", d)
	}
	f, err := s.Final(context.Background(), w, h.Words)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(texts(h.Words), texts(f.Words)); d != "" {
		t.Error(d)
	}
	if w.Memo.Take() != known {
		t.Error("what was known of the audio is gone")
	}
}
