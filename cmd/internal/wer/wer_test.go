package wer

import (
	"math"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		said, heard string
		want        Count
	}{
		{"", "", Count{}},
		{"Turn on the lights.", "turn on the lights", Count{Words: 4}},
		{"turn on the lights", "turn off the lights", Count{Words: 4, Substituted: 1}},
		{"turn on the lights", "turn the lights", Count{Words: 4, Deleted: 1}},
		{"turn on the lights", "", Count{Words: 4, Deleted: 4}},
		{"", "six", Count{Inserted: 1}},
		{"one two three", "zero one two four three five", Count{Words: 3, Inserted: 3}},
		{"five o'clock", "five o clock", Count{Words: 2, Substituted: 1, Inserted: 1}},
	} {
		if got := Compare(c.said, c.heard); got != c.want {
			t.Errorf("%q heard as %q: %+v, want %+v", c.said, c.heard, got, c.want)
		}
	}
}

func TestRate(t *testing.T) {
	sum := Compare("a b c d", "a b c").Add(Compare("e f", "e f g"))
	if math.Abs(sum.Rate()-2.0/6) > 1e-9 {
		t.Errorf("rate %v", sum.Rate())
	}
	if (Count{}).Rate() != 0 || (Count{Inserted: 3}).Rate() != 1 {
		t.Error("a rate without words")
	}
}
