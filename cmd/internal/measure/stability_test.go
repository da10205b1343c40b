package measure

import "testing"

func TestStabilityByHand(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		want  stability
	}{
		{"only growing", []string{"turn", "turn on", "turn on the", "Turn on the lights."}, stability{}},
		// of "turn of": "of" changes, and nothing stands after it
		{"the last word changes", []string{"turn of", "turn off the", "turn off the lights"}, stability{changed: 1, erased: 1}},
		// "a" becomes "the": one word is another one, two had to be erased
		{"a word in the middle", []string{"play a song", "play the song"}, stability{changed: 1, erased: 2}},
		{"words go away", []string{"one two three", "one"}, stability{changed: 2, erased: 2}},
		// a word is added in front: nothing was wrong, all had to be written anew
		{"a word in front", []string{"two three", "one two three"}, stability{erased: 2}},
		{"there and back", []string{"tom", "john", "tom"}, stability{changed: 2, erased: 2}},
	} {
		var got stability
		for i := 1; i < len(c.texts); i++ {
			got.follow(c.texts[i-1], c.texts[i])
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPromisesAreCountedByWords(t *testing.T) {
	for _, c := range []struct {
		before, after string
		want          int
	}{
		{"", "turn on", 0},
		{"turn on", "turn on", 0},
		{"turn on", "turn on the", 0},
		{"turn on", "turn", 1},
		{"turn on the", "turn off the", 2},
		{"Turn on", "turn on", 2}, // even case was promised
		{"turn  on", "turn on", 1},
	} {
		var got stability
		got.keep(c.before, c.after)
		if got.retracted != c.want {
			t.Errorf("%q then %q: %d words, want %d", c.before, c.after, got.retracted, c.want)
		}
	}
}
