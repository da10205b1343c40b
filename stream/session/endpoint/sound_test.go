package endpoint_test

import (
	"testing"

	"parley/stream/session/endpoint"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		text, language string
		want           endpoint.Sound
	}{
		{"", "en", endpoint.Open},
		{"  ", "en", endpoint.Open},
		{"\"", "en", endpoint.Open},
		{"turn on the light", "en", endpoint.Open},
		{"turn on the light.", "en", endpoint.Complete},
		{"is it on?", "en", endpoint.Complete},
		{"he said \"stop!\"", "en", endpoint.Complete},
		{"turn on the", "en", endpoint.Unfinished},
		{"turn on the.", "en", endpoint.Unfinished}, // Whisper writes the full stop wherever the audio ends
		{"I want it because", "en", endpoint.Unfinished},
		{"Um,", "en", endpoint.Unfinished},
		{"I’m", "en", endpoint.Unfinished},
		{"well, I...", "en", endpoint.Unfinished},
		{"well, I…", "de", endpoint.Unfinished},
		{"milk, bread,", "de", endpoint.Unfinished},
		{"der Hund und the", "de", endpoint.Open}, // the list is English
		{"turn on the", "", endpoint.Open},
		{"das war es.", "de", endpoint.Complete},
		{"打开灯。", "zh", endpoint.Complete},
		{"打开灯", "zh", endpoint.Open},
		{"لماذا؟", "ar", endpoint.Complete},
		{"\xff\xfe", "en", endpoint.Open},
	} {
		if got := endpoint.Of(c.text, c.language); got != c.want {
			t.Errorf("%q in %q: %d, want %d", c.text, c.language, got, c.want)
		}
	}
}

func TestProbabilityOrdersTheSounds(t *testing.T) {
	u, o, c := endpoint.Unfinished.Probability(), endpoint.Open.Probability(), endpoint.Complete.Probability()
	if !(0 < u && u < o && o < c && c < 1) {
		t.Errorf("unfinished %v, open %v, complete %v", u, o, c)
	}
}

func FuzzOf(f *testing.F) {
	f.Add("and then.", "en")
	f.Add("...", "")
	f.Fuzz(func(t *testing.T, text, language string) {
		p := endpoint.Of(text, language).Probability()
		if p <= 0 || p >= 1 {
			t.Errorf("%q: %v", text, p)
		}
	})
}
