package ending_test

import (
	"testing"

	"parley/stream/session/ending"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		text, language string
		want           ending.Sound
	}{
		{"", "en", ending.Open},
		{"  ", "en", ending.Open},
		{"\"", "en", ending.Open},
		{"turn on the light", "en", ending.Open},
		{"turn on the light.", "en", ending.Complete},
		{"is it on?", "en", ending.Complete},
		{"he said \"stop!\"", "en", ending.Complete},
		{"turn on the", "en", ending.Unfinished},
		{"turn on the.", "en", ending.Unfinished}, // Whisper writes the full stop wherever the audio ends
		{"I want it because", "en", ending.Unfinished},
		{"Um,", "en", ending.Unfinished},
		{"I’m", "en", ending.Unfinished},
		{"well, I...", "en", ending.Unfinished},
		{"well, I…", "de", ending.Unfinished},
		{"milk, bread,", "de", ending.Unfinished},
		{"der Hund und the", "de", ending.Open}, // the list is English
		{"turn on the", "", ending.Open},
		{"das war es.", "de", ending.Complete},
		{"打开灯。", "zh", ending.Complete},
		{"打开灯", "zh", ending.Open},
		{"لماذا؟", "ar", ending.Complete},
		{"\xff\xfe", "en", ending.Open},
	} {
		if got := ending.Of(c.text, c.language); got != c.want {
			t.Errorf("%q in %q: %d, want %d", c.text, c.language, got, c.want)
		}
	}
}

func TestProbabilityOrdersTheSounds(t *testing.T) {
	u, o, c := ending.Unfinished.Probability(), ending.Open.Probability(), ending.Complete.Probability()
	if !(0 < u && u < o && o < c && c < 1) {
		t.Errorf("unfinished %v, open %v, complete %v", u, o, c)
	}
}

func FuzzOf(f *testing.F) {
	f.Add("and then.", "en")
	f.Add("...", "")
	f.Fuzz(func(t *testing.T, text, language string) {
		p := ending.Of(text, language).Probability()
		if p <= 0 || p >= 1 {
			t.Errorf("%q: %v", text, p)
		}
	})
}
