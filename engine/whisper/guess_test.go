//go:build cgo

package whisper

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/codec/codectest"
	"parley/engine"
)

// TestPick compares the sampler with the definition of what it computes.
func TestPick(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 60 {
		n := []int{1, 2, 5, 300, 50258}[round%5]
		eot := n - 1
		logits := make([]float32, n+7) // tokens beyond the end of text never come
		for i := range logits {
			logits[i] = float32(r.NormFloat64()) * []float32{0, 1, 10, 100}[round%4]
		}
		logits[n+3] = 1e6
		var banned, free []int32
		for id := range int32(eot) {
			if r.IntN(10) == 0 {
				banned = append(banned, id)
				logits[id] += 50
			} else {
				free = append(free, id)
			}
		}
		want, sum := eot, 0.0
		for _, id := range free {
			if logits[id] > logits[want] {
				want = int(id)
			}
		}
		for _, id := range append(free, int32(eot)) {
			sum += math.Exp(float64(logits[id]) - float64(logits[want]))
		}
		id, p, logp := pick(logits, banned, eot)
		if id != want || math.Abs(float64(p)*sum-1) > 1e-5 || math.Abs(float64(logp)+math.Log(sum)) > 1e-5 {
			t.Errorf("round %d: token %d with %v, %v; want %d with %v, %v", round, id, p, logp, want, 1/sum, -math.Log(sum))
		}
	}
}

func TestLoops(t *testing.T) {
	times := func(n int, ids ...int32) []int32 { return slices.Repeat(ids, n) }
	for name, tc := range map[string]struct {
		text []int32
		want int
	}{
		"nothing":                    {nil, 0},
		"no repetition":              {[]int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, 0},
		"no no no":                   {times(3, 7), 0},
		"nine, nine, nine, nine,":    {times(4, 7, 8), 0},
		"fifteen times one":          {times(15, 7), 0},
		"sixteen times one":          {times(16, 7), 15},
		"eight times two":            {times(8, 7, 8), 14},
		"twice ten":                  {times(2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 0},
		"thrice six":                 {times(3, 1, 2, 3, 4, 5, 6), 12},
		"thrice eight, after others": {append([]int32{5, 5, 9}, times(3, 1, 2, 3, 4, 5, 6, 7, 8)...), 16},
		"thrice nine":                {times(3, 1, 2, 3, 4, 5, 6, 7, 8, 9), 0},
		"a loop that is over":        {append(times(20, 7), 8), 0},
	} {
		if got := loops(tc.text); got != tc.want {
			t.Errorf("%s: %d copies, want %d", name, got, tc.want)
		}
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	speech := codectest.Speech(t)[:3*codec.SpeechRate]
	hear := func(m *Model, most int) *guess {
		t.Helper()
		g := &guess{pcm: speech, encoder: 256, threads: 1, most: most, language: -1, spectrum: &spectrum{filters: m.weights.filters}}
		if _, _, err := newTestState(t, m).guess(context.Background(), g); err != nil {
			t.Fatal(err)
		}
		return g
	}
	english := load(t)
	all := hear(english, 100)
	if all.stopped != ended || len(all.ids) < 3 {
		t.Fatalf("stopped with %d after %d tokens", all.stopped, len(all.ids))
	}
	if two := hear(english, 2); two.stopped != cut || !cmp.Equal(two.ids, all.ids[:2]) {
		t.Errorf("two tokens: stopped with %d, %v of %v", two.stopped, two.ids, all.ids)
	}
	random := load(t, func(c *Config) { c.Path, c.Short = randomModel(t, 80), false })
	babble := hear(random, 120)
	for id := range int32(random.weights.info.Whisper_token_eot()) { // leave it one word to say
		if id != babble.ids[1] {
			random.weights.mute = append(random.weights.mute, id)
		}
	}
	if loop := hear(random, 120); loop.stopped != looped || !slices.Equal(loop.ids, babble.ids[1:2]) {
		t.Errorf("a model of one word: stopped with %d after %v", loop.stopped, loop.ids)
	}
	if p := babble.likely; p <= 0 || p >= 1 || babble.language < 0 {
		t.Errorf("language %d with %v", babble.language, p)
	}
	if all.likely != 0 {
		t.Errorf("the only language there is was detected with %v", all.likely)
	}
}

func TestGuessIsCancelled(t *testing.T) {
	t.Parallel()
	m := load(t)
	s := newTestState(t, m)
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("a final waits")
	cancel(cause)
	g := guess{pcm: codectest.Speech(t)[:codec.SpeechRate], encoder: 256, threads: 1, most: 10, spectrum: &spectrum{filters: m.weights.filters}}
	if _, _, err := s.guess(ctx, &g); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
	want, _, err := newTestState(t, m).guess(context.Background(), &guess{pcm: g.pcm, encoder: 256, threads: 1, most: 10})
	got, _, err2 := s.guess(context.Background(), &g)
	if d := cmp.Diff(want, got, cmp.AllowUnexported(token{})); err != nil || err2 != nil || d != "" {
		t.Errorf("after a cancel: %v %v %s", err, err2, d)
	}
}

// TestMemoChangesNothing: what is kept of an utterance only saves work.
func TestMemoChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	audio := speak(t, "slt", domain[0])
	memo := new(engine.Memo)
	for n := codec.SpeechRate / 2; n < len(audio); n += codec.SpeechRate * 3 / 5 {
		want, err := s.Partial(context.Background(), engine.Window{Audio: audio[:n]}, nil)
		got, err2 := s.Partial(context.Background(), engine.Window{Audio: audio[:n], Memo: memo}, nil)
		if d := cmp.Diff(want, got); err != nil || err2 != nil || d != "" {
			t.Errorf("at %d samples: %v %v %s", n, err, err2, d)
		}
	}
	h, ok := memo.Take().(*heard)
	if !ok || h.spectrum.known < 50 || len(h.ids) == 0 {
		t.Fatalf("kept %+v", h)
	}
	h.model = nil // another model's
	memo.Put(h)
	if other := s.model.recall(engine.Window{Memo: memo}); other.spectrum.known > 0 || other.model != s.model {
		t.Errorf("took another model's %+v", other)
	}
}

// TestOwnTokens: what was heard is forced with the tokens it was heard as.
func TestOwnTokens(t *testing.T) {
	m := load(t)
	split := append(m.weights.tokenize(" kit"), m.weights.tokenize("chen")...)
	plain := m.weights.tokenize(" kitchen light")
	if len(split) < 2 || len(plain) != 2 {
		t.Fatalf("%v, %v", split, plain)
	}
	h := &heard{model: m, ids: append(slices.Clone(split), plain[1])}
	for text, want := range map[string][]int32{
		"":                  nil,
		" kitchen light":    h.ids,
		" kitchen":          split,
		" kitchens":         m.weights.tokenize(" kitchens"),
		" kitchen lamp":     append(slices.Clone(split), m.weights.tokenize(" lamp")...),
		" the kitchen lamp": m.weights.tokenize(" the kitchen lamp"),
	} {
		if got := h.tokens(text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
