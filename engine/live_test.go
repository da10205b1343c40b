package engine

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// said spreads a text, one word a second.
func said(text string) []Word {
	var words []Word
	for i, w := range strings.Fields(text) {
		words = append(words, Word{Text: w, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, P: 0.5})
	}
	return words
}

func TestText(t *testing.T) {
	for want, words := range map[string][]Word{
		"":          nil,
		"Hi, you.":  {{Text: "Hi,"}, {Text: "you."}},
		"你好 world":  {{Text: "你"}, {Text: "好", Joined: true}, {Text: "world"}},
		"It's a 5%": said("It's a 5%"),
	} {
		if got := Text(words); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLive(t *testing.T) {
	type step struct {
		heard        time.Duration
		words        string
		stable, tail string
	}
	for name, steps := range map[string][]step{
		"two agree": {
			{3 * time.Second, "turn on the", "", "turn on the"},
			{4 * time.Second, "Turn on the lights", "Turn on the", "lights"},
			{5 * time.Second, "turn on the lights now", "Turn on the lights", "now"},
		},
		"punctuation and case are no change": {
			{4 * time.Second, "yes, please.", "", "yes, please."},
			{5 * time.Second, "Yes please do", "Yes please", "do"},
		},
		"the last word is held back": {
			{5 * time.Second, "a b", "", "a b"},
			{6 * time.Second, "a b", "a", "b"},
			{7 * time.Second, "a b", "a", "b"},
		},
		"what ends near the end of the audio is held back": {
			{2 * time.Second, "a b c d", "", "a b c d"},
			{2400 * time.Millisecond, "a b c d", "a", "b c d"},
			{2500 * time.Millisecond, "a b c d", "a b", "c d"},
		},
		"the same audio is no second witness": {
			{4 * time.Second, "a b c", "", "a b c"},
			{4 * time.Second, "a b c", "", "a b c"},
			{3 * time.Second, "a b c", "", "a b c"},
		},
		"only the common beginning": {
			{9 * time.Second, "a b c d", "", "a b c d"},
			{10 * time.Second, "a b x d", "a b", "x d"},
			{11 * time.Second, "a b c d e", "a b", "c d e"},
			{12 * time.Second, "a b c d e", "a b c d", "e"},
		},
		"a changed promise stays as it was": {
			{9 * time.Second, "turn on the light", "", "turn on the light"},
			{10 * time.Second, "turn on the light", "turn on the", "light"},
			{11 * time.Second, "turn off the light now", "turn on the light", "now"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var l Live
			for _, s := range steps {
				stable, tail := l.Update(Hypothesis{Words: said(s.words)}, s.heard)
				if Text(stable) != s.stable || Text(tail) != s.tail {
					t.Errorf("%q at %v: %q | %q, want %q | %q", s.words, s.heard, Text(stable), Text(tail), s.stable, s.tail)
				}
			}
		})
	}
}

func TestLiveFinish(t *testing.T) {
	for name, c := range map[string]struct{ stable, final, want string }{
		"nothing promised":      {"", "yes please", "yes please"},
		"the same":              {"turn on", "Turn on the lights.", "turn on the lights."},
		"a word changed":        {"turn on the", "turn off the lights", "turn on the lights"},
		"a word is missing":     {"turn on the big", "turn on big lights", "turn on the big lights"},
		"a word is added":       {"turn on lights", "turn on the lights now", "turn on lights now"},
		"nothing heard at last": {"turn on", "", "turn on"},
		"all is different":      {"a b c", "x y z four five", "a b c four five"},
		"one word, one other":   {"six", "set a timer", "six a timer"},
	} {
		t.Run(name, func(t *testing.T) {
			l := Live{stable: said(c.stable)}
			got := l.Finish(Transcript{Words: said(c.final), Language: "en"})
			if Text(got.Words) != c.want || got.Language != "en" {
				t.Errorf("got %q, want %q", Text(got.Words), c.want)
			}
		})
	}
}

func TestLiveFinishTakesTimesOfTheFinal(t *testing.T) {
	l := Live{stable: []Word{{Text: "hello", Start: 0, End: time.Second, P: 0.2}, {Text: "you", Start: time.Second, End: 2 * time.Second, P: 0.2}}}
	got := l.Finish(Transcript{Words: []Word{
		{Text: "Hello,", Start: 100 * time.Millisecond, End: 400 * time.Millisecond, P: 0.9},
		{Text: "you", Start: 500 * time.Millisecond, End: 700 * time.Millisecond, P: 0.9},
		{Text: "there.", Start: 600 * time.Millisecond, End: 900 * time.Millisecond, P: 0.6},
	}})
	want := Transcript{Words: []Word{
		{Text: "hello", Start: 100 * time.Millisecond, End: 400 * time.Millisecond, P: 0.9},
		{Text: "you", Start: 500 * time.Millisecond, End: 700 * time.Millisecond, P: 0.9},
		{Text: "there.", Start: 700 * time.Millisecond, End: 900 * time.Millisecond, P: 0.6},
	}, Confidence: 0.8}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b float32) bool { return (a-b)*(a-b) < 1e-9 })); d != "" {
		t.Error(d)
	}
}

// TestLiveInvariants feeds random hypotheses of a small vocabulary with random
// times: what is stable only grows and never changes, the final begins with it,
// times never go back, and what callers do with the slices changes nothing.
func TestLiveInvariants(t *testing.T) {
	vocabulary := strings.Fields("a A, b. c d e ... 你")
	promised := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 7))
		random := func() (words []Word) {
			for range r.IntN(8) {
				at := time.Duration(r.IntN(9000)-500) * time.Millisecond
				words = append(words, Word{Text: vocabulary[r.IntN(min(len(vocabulary), 1+int(seed%9)))], Start: at, End: at + time.Duration(r.IntN(900)-100)*time.Millisecond, P: r.Float32(), Joined: r.IntN(4) == 0})
			}
			return words
		}
		var l Live
		var before []Word
		var heard time.Duration
		for range 12 {
			heard += time.Duration(r.IntN(1500)) * time.Millisecond
			stable, tail := l.Update(Hypothesis{Words: random()}, heard)
			if len(stable) < len(before) || !slices.Equal(before, stable[:len(before)]) {
				t.Fatalf("seed %d: stable went from %v to %v", seed, before, stable)
			}
			monotone(t, append(slices.Clone(stable), tail...))
			before = slices.Clone(stable)
			clear(stable)
			clear(tail)
			clear(l.Prefix())
		}
		promised += len(before)
		final := l.Finish(Transcript{Words: random()})
		if !strings.HasPrefix(Text(final.Words), Text(before)) {
			t.Fatalf("seed %d: final %q does not begin with %q", seed, Text(final.Words), Text(before))
		}
		monotone(t, final.Words)
	}
	if promised == 0 {
		t.Error("no word was ever promised: the test proves nothing")
	}
}

func monotone(t *testing.T, words []Word) {
	t.Helper()
	var end time.Duration
	for _, w := range words {
		if w.Start < end || w.End < w.Start {
			t.Fatalf("times go back: %v", words)
		}
		end = w.End
	}
}
