package engine

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// said spreads a text, one word a second.
func said(text string) []Word {
	var words []Word
	for i, w := range strings.Fields(text) {
		words = append(words, Word{Text: w, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, P: 0.7})
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

func TestDoubtedWordsNeedThreeWitnesses(t *testing.T) {
	var l Live
	words := said("a b c")
	words[1].P = 0.3
	for i, want := range []string{"", "a", "a b", "a b"} {
		if stable, _ := l.Update(Hypothesis{Words: words}, time.Duration(9+i)*time.Second); Text(stable) != want {
			t.Errorf("after %d hypotheses: %q, want %q", i+1, Text(stable), want)
		}
	}
}

func TestAWitnessThatSaysOtherwiseStartsTheCountAgain(t *testing.T) {
	var l Live
	doubted := func(text string) Hypothesis {
		words := said(text)
		for i := range words {
			words[i].P = 0.1
		}
		return Hypothesis{Words: words}
	}
	for i, text := range []string{"a b c", "a b c", "a x c", "a b c", "a b c"} {
		l.Update(doubted(text), time.Duration(9+i)*time.Second)
	}
	if stable, tail := l.Words(); Text(stable) != "a" || Text(tail) != "b c" {
		t.Errorf("%q | %q", Text(stable), Text(tail))
	}
}

func TestWhatIsUnlikelyIsShownOnceItIsConfirmed(t *testing.T) {
	var l Live
	words := said("a b c d")
	words[2].P = 0.5
	for i, want := range []string{"a b", "c d"} {
		if _, tail := l.Update(Hypothesis{Words: words}, time.Duration(3000+400*i)*time.Millisecond); Text(tail) != want {
			t.Errorf("hypothesis %d: tail %q, want %q", i, Text(tail), want)
		}
	}
}

func TestADraftIsShownWhole(t *testing.T) {
	var l Live
	words := said("a b c d")
	words[2].P = 0.5
	if _, tail := l.Draft(Hypothesis{Words: words}, 3*time.Second); Text(tail) != "a b c d" {
		t.Errorf("tail %q", Text(tail))
	}
	words = said("x b c d")
	words[2].P = 0.5
	if _, tail := l.Update(Hypothesis{Words: words}, 4*time.Second); Text(tail) != "x b" {
		t.Errorf("after a guess: tail %q", Text(tail))
	}
}

func TestUntilKeepsLaterWordsOpen(t *testing.T) {
	var l Live
	l.Until(2500 * time.Millisecond)
	for i := range 3 {
		l.Update(Hypothesis{Words: said("a b c d")}, time.Duration(9+i)*time.Second)
	}
	if stable, tail := l.Words(); Text(stable) != "a b" || Text(tail) != "c d" {
		t.Errorf("%q | %q", Text(stable), Text(tail))
	}
}

func TestHalfACharacterIsNeverSaid(t *testing.T) {
	var l Live
	words := []Word{{Text: "你"}, {Text: "好"[:2], Joined: true}, {Text: "a" + "é"[:1]}, {Text: "b"}}
	for i := range 4 {
		l.Update(Hypothesis{Words: words}, time.Duration(9+i)*time.Second)
	}
	stable, tail := l.Words()
	if got := Text(stable) + "|" + Text(tail); got != "你 a|b" {
		t.Errorf("partial %q", got)
	}
	for _, got := range []Transcript{l.Finish(Transcript{Words: words}), l.Free(Transcript{Words: words})} {
		if Text(got.Words) != "你 a b" {
			t.Errorf("final %q", Text(got.Words))
		}
	}
}

// later moves words on in time.
func later(words []Word, by time.Duration) []Word {
	for i := range words {
		words[i].Start += by
		words[i].End += by
	}
	return words
}

func TestLiveCut(t *testing.T) {
	for name, c := range map[string]struct {
		stable, tail   string // one word a second
		piece          string
		at             int // s
		done           string
		prefix, remain string // of the new window
	}{
		"the promise lies in the piece":       {"a b", "c d e f", "A b, c d.", 4, "a b c d.", "", "e f"},
		"the promise goes on after the piece": {"a b c d e", "f g", "a b c", 3, "a b c", "d e", "f g"},
		"the promise ends with the piece":     {"a b c", "d e", "a b c", 3, "a b c", "", "d e"},
		"the piece knows better":              {"a b", "x d e", "a b c d", 4, "a b c d", "", "e"},
		"a promise the piece denies":          {"a b c d e", "f", "a x c", 3, "a b c", "d e", "f"},
		"said over and over":                  {"go go go go go", "go", "go go go", 3, "go go go", "go go", "go"},
		"nothing in common":                   {"a b c d e", "f", "v w x y", 3, "a b c", "d e", "f"},
		"the piece heard nothing":             {"a b c d e", "f", "", 3, "a b c", "d e", "f"},
		"it stopped too early":                {"a b c d e f g h i j", "k", "a", 9, "a b c d e f g h i", "j", "k"},
		"nothing was promised":                {"", "a b c d", "a b", 2, "a b", "", "c d"},
		"there was no partial":                {"", "", "a b", 2, "a b", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			stable := said(c.stable)
			tail := later(said(c.tail), time.Duration(len(stable))*time.Second)
			l := Live{stable: stable, tail: tail, seen: make([]int, len(tail))}
			l.Cut(said(c.piece), time.Duration(c.at)*time.Second)
			if Text(l.done) != c.done || Text(l.Prefix()) != c.prefix || Text(l.tail) != c.remain || len(l.seen) != len(l.tail) {
				t.Errorf("%q | %q | %q, want %q | %q | %q", Text(l.done), Text(l.Prefix()), Text(l.tail), c.done, c.prefix, c.remain)
			}
			if got := Text(l.Free(Transcript{Words: said("z")}).Words); got != strings.TrimSpace(c.piece+" z") {
				t.Errorf("free: %q", got)
			}
		})
	}
}

func TestCutBlindPromisesWhatWasHeard(t *testing.T) {
	l := Live{stable: said("a b"), tail: later(said("c d e"), 2*time.Second), seen: []int{1, 1, 1}}
	l.CutBlind(4 * time.Second)
	if stable, tail := l.Words(); Text(stable) != "a b c d" || Text(tail) != "e" || l.Prefix() != nil {
		t.Errorf("%q | %q, prefix %v", Text(stable), Text(tail), l.Prefix())
	}
}

func TestWordsAreJoinedAcrossACutAsTheirScriptIs(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"你", "好", "你好"}, {"go", "on", "go on"}, {"你", "on", "你 on"}, {"กา", "แฟ", "กาแฟ"},
	} {
		var l Live
		l.Cut([]Word{{Text: c.before}}, time.Second)
		l.Update(Hypothesis{Words: []Word{{Text: c.after, P: 1, Start: time.Second, End: 2 * time.Second}}}, 3*time.Second)
		stable, tail := l.Words()
		if got := Text(append(stable, tail...)); got != c.want {
			t.Errorf("%q", got)
		}
		if got := Text(l.Finish(Transcript{Words: []Word{{Text: c.after}}}).Words); got != c.want {
			t.Errorf("final %q", got)
		}
	}
}

// TestLiveInvariants feeds random hypotheses of a small vocabulary with random
// times and cuts the window at random: what is stable only grows and never
// changes, the final begins with it, times never go back, all text is UTF-8, and
// what callers do with the slices changes nothing.
func TestLiveInvariants(t *testing.T) {
	vocabulary := strings.Fields("a A, b. c d e ... 你 \xe4\xbd x\xc3")
	promised, cuts := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		random := func() (words []Word) {
			for range r.IntN(8) {
				at := time.Duration(r.IntN(9000)-500) * time.Millisecond
				words = append(words, Word{Text: vocabulary[r.IntN(min(len(vocabulary), 1+int(seed%12)))], Start: at, End: at + time.Duration(r.IntN(900)-100)*time.Millisecond, P: r.Float32(), Joined: r.IntN(4) == 0})
			}
			return words
		}
		var l Live
		var before []Word
		var heard time.Duration
		grows := func() {
			stable, tail := l.Words()
			if len(stable) < len(before) || !slices.EqualFunc(before, stable[:len(before)], alike) {
				t.Fatalf("seed %d: stable went from %v to %v", seed, before, stable)
			}
			monotone(t, append(slices.Clone(stable), tail...))
			before = slices.Clone(stable)
			if !utf8.ValidString(Text(stable) + Text(tail)) {
				t.Fatalf("seed %d: %q | %q", seed, Text(stable), Text(tail))
			}
		}
		for range 12 {
			heard += time.Duration(r.IntN(1500)) * time.Millisecond
			stable, tail := l.Update(Hypothesis{Words: random()}, heard)
			grows()
			clear(stable)
			clear(tail)
			clear(l.Prefix())
			switch r.IntN(8) {
			case 0:
				l.Cut(random(), heard-time.Duration(r.IntN(4000))*time.Millisecond)
				cuts++
			case 1:
				l.CutBlind(heard - time.Duration(r.IntN(4000))*time.Millisecond)
			}
			grows()
		}
		promised += len(before)
		final := l.Finish(Transcript{Words: random()})
		if !strings.HasPrefix(Text(final.Words), Text(before)) {
			t.Fatalf("seed %d: final %q does not begin with %q", seed, Text(final.Words), Text(before))
		}
		monotone(t, final.Words)
		free := l.Free(Transcript{Words: random()})
		monotone(t, free.Words)
		if !utf8.ValidString(Text(final.Words) + Text(free.Words)) {
			t.Fatalf("seed %d: finals %q, %q", seed, Text(final.Words), Text(free.Words))
		}
	}
	if promised == 0 || cuts == 0 {
		t.Error("no word was ever promised or no window cut: the test proves nothing")
	}
}

// alike says that two words are written alike; a cut may know their times better.
func alike(a, b Word) bool { return a.Text == b.Text && a.Joined == b.Joined }

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
