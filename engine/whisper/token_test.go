package whisper

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

// pieces makes tokens of 100 ms from texts divided by "|".
func pieces(text string) []token {
	var out []token
	for i, s := range strings.Split(text, "|") {
		at := time.Duration(i) * 100 * time.Millisecond
		out = append(out, token{text: s, p: 0.5, start: at, end: at + 100*time.Millisecond})
	}
	return out
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		" Turn| on| the| light|s|.":          "Turn/on/the/lights.",
		" It|'|s| five|-|thirty|,| OK|?":     "It's/five-thirty,/OK?",
		"| |4|2":                             "42",
		" yes| | no":                         "yes/no",
		" said|,| \"|Hello| you|.\"":         "said,/\"Hello/you.\"",
		" a| -| b":                           "a/-/b",
		"你|好|，|世界|。":                         "你/+好，/+世界。",
		" iPhone|很|好| ok":                    "iPhone/+很/+好/ok",
		"\xe4\xbd|\xa0|\xe5\xa5|\xbd":        "你/+好",
		" caf|\xc3|\xa9| au":                 "café/au",
		" a|\xe4\xbd":                        "a",
		"\xff| b|\xc3| c":                    "b/c",
		"สวัส|\u0e14\u0e35|\u0e35":           "สวัส/+\u0e14\u0e35\u0e35",
		"":                                   "",
		" two words| in one token |glued| x": "two words/in one token/glued/x",
	} {
		var got []string
		for _, w := range words(pieces(in), time.Hour) {
			if w.Joined {
				w.Text = "+" + w.Text
			}
			got = append(got, w.Text)
		}
		if s := strings.Join(got, "/"); s != want {
			t.Errorf("%q: %q, want %q", in, s, want)
		}
	}
}

func TestWordTimesAndProbabilities(t *testing.T) {
	tokens := []token{
		{text: " one", p: 0.8, start: 3 * time.Second, end: 2 * time.Second},
		{text: " t", p: 0.2, start: time.Second, end: 4 * time.Second},
		{text: "wo", p: 0.6, start: 4 * time.Second, end: 5 * time.Second},
		{text: ".", p: 0.9, start: 5 * time.Second, end: 9 * time.Second},
		{text: " three", p: 2, start: 8 * time.Second, end: 9 * time.Second},
	}
	ms := time.Millisecond
	want := []engine.Word{ // "one" and "three" have no time of their own and take of that of "two"
		{Text: "one", Start: 3000 * ms, End: 3889 * ms, P: 0.8},
		{Text: "two.", Start: 3889 * ms, End: 4848 * ms, P: 0.4},
		{Text: "three", Start: 4848 * ms, End: 6000 * ms, P: 1},
	}
	near := cmp.Options{
		cmp.Comparer(func(a, b float32) bool { return (a-b)*(a-b) < 1e-9 }),
		cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() < ms }),
	}
	if d := cmp.Diff(want, words(tokens, 6*time.Second), near); d != "" {
		t.Error(d)
	}
}

// spoken gives each word of a text so long, and a probability.
func spoken(text string, per time.Duration, p float32) []engine.Word {
	var out []engine.Word
	for i, w := range strings.Fields(text) {
		at := time.Duration(i) * per
		out = append(out, engine.Word{Text: w, Start: at, End: at + per, P: p})
	}
	return out
}

func TestCutLoop(t *testing.T) {
	slow, fast := 300*time.Millisecond, 20*time.Millisecond
	for name, c := range map[string]struct {
		words []engine.Word
		want  string
	}{
		"digits said so":      {spoken("nine nine nine one", slow, 0.9), "nine nine nine one"},
		"no, believed":        {spoken("no no no no", slow, 0.9), "no no no no"},
		"one word, no time":   {spoken("so we you you you you", fast, 0.9), "so we you"},
		"not believed":        {spoken("well then you you you", slow, 0.3), "well then you"},
		"nothing but a loop":  {spoken(strings.Repeat("you ", 30), slow, 0.9), ""},
		"a phrase":            {spoken("it is "+strings.Repeat("a b c D, ", 3)+"e", fast, 0.9), "it is a b c D, e"},
		"a phrase, two times": {spoken("a b c a b c", fast, 0.9), "a b c a b c"},
		"none":                {nil, ""},
	} {
		if got := engine.Text(cutLoop(c.words)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDropNoise(t *testing.T) {
	for in, want := range map[string]string{
		"[BLANK_AUDIO]":                 "",
		"[Music playing] yes (laughs).": "yes",
		"♪ la la ♪":                     "",
		"♪":                             "",
		"*sighs* well":                  "well",
		"f(x) is (three":                "f(x) is (three",
		"- yes + no":                    "yes + no",
		"...":                           "",
	} {
		if got := engine.Text(dropNoise(spoken(in, time.Second, 1))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestGuard(t *testing.T) {
	normal := sound{loudest: 0.1, voiced: 0.5}
	say := func(text string, p, logp float32) []token {
		var out []token
		for _, x := range pieces(text) {
			x.p, x.logp = p, logp
			out = append(out, x)
		}
		return out
	}
	for name, c := range map[string]struct {
		tokens []token
		length time.Duration
		level  sound
		want   string
	}{
		"speech":                   {say(" open| the| window|.", 0.9, -0.1), 2 * time.Second, normal, "open the window."},
		"not believed":             {say(" open| the| window|.", 0.3, -1.2), 2 * time.Second, normal, ""},
		"hardly any sound":         {say(" six", 0.5, -0.7), 2 * time.Second, sound{voiced: 0.05}, ""},
		"stock phrase, short":      {say(" Thank| you|.", 0.5, -0.7), time.Second, normal, ""},
		"stock phrase, meant":      {say(" Thank| you|.", 0.9, -0.1), time.Second, normal, "Thank you."},
		"stock phrase, long":       {say(" Thank| you|.", 0.5, -0.7), 3 * time.Second, normal, "Thank you."},
		"more than can be said":    {say(strings.Repeat(" a| b|", 30), 0.9, -0.1), time.Second, normal, ""},
		"nothing":                  {nil, time.Second, normal, ""},
		"punctuation is no speech": {say(".|.|.", 0.9, -0.1), time.Second, normal, ""},
	} {
		if got := engine.Text(guard(c.tokens, c.length, c.level, true)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSpread(t *testing.T) {
	// 100 ms of silence, 200 ms of sound, 100 ms of silence, 200 ms of sound
	level := sound{frames: []int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29}}
	got := spoken("abc abcdefghijk abc", 0, 1)
	level.spread(got)
	ms := time.Millisecond
	want := []engine.Word{
		{Text: "abc", Start: 100 * ms, End: 180 * ms, P: 1},
		{Text: "abcdefghijk", Start: 180 * ms, End: 520 * ms, P: 1},
		{Text: "abc", Start: 520 * ms, End: 600 * ms, P: 1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWordsWithoutTimeShareTheirNeighbours(t *testing.T) {
	ms := time.Millisecond
	said := func(at ...int) []token { // pairs of start and end
		var out []token
		for i := 0; i < len(at); i += 2 {
			out = append(out, token{text: " word", p: 1, start: time.Duration(at[i]) * ms, end: time.Duration(at[i+1]) * ms})
		}
		return out
	}
	for name, tc := range map[string]struct{ in, want []int }{
		"first":      {[]int{100, 100, 100, 500}, []int{100, 300, 300, 500}},
		"last":       {[]int{100, 500, 500, 500}, []int{100, 300, 300, 500}},
		"between":    {[]int{0, 200, 200, 200, 200, 400}, []int{0, 200, 200, 300, 300, 400}},
		"fine":       {[]int{0, 200, 200, 400}, []int{0, 200, 200, 400}},
		"no time":    {[]int{300, 300, 300, 300}, []int{300, 300, 300, 300}},
		"a lone one": {[]int{300, 300}, []int{300, 300}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			for _, w := range words(said(tc.in...), time.Second) {
				got = append(got, int(w.Start/ms), int(w.End/ms))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
