//go:build cgo

package whisper

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/codec"
	"parley/engine"
)

// timeless writes the bundled model with the weights of a token that never comes
// in the place of all timestamps', as if it had been trained without any.
func timeless(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(bundled)
	if err != nil {
		t.Fatal(err)
	}
	const name, row, begin, tokens = "decoder.token_embedding.weight", 128 / 32 * 22, 50363, 51864
	at := bytes.Index(b, []byte(name)) + len(name)
	never := b[at+40000*row : at+40001*row]
	for id := begin; id < tokens; id++ {
		copy(b[at+id*row:], never)
	}
	path := filepath.Join(t.TempDir(), "timeless.bin")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestModelWithoutTimestamps: what is said and when is heard all the same, in
// windows longer than the encoder too.
func TestModelWithoutTimestamps(t *testing.T) {
	t.Parallel()
	path := timeless(t)
	speech := speak(t, "slt", domain[0])
	long := slices.Concat(speech, make([]float32, 30*codec.SpeechRate), speech)
	s := open(t, load(t, func(c *Config) { c.Path = path }))
	p, f := decodeBoth(t, s, speech)
	checkWords(t, p.Words, codec.Duration(len(speech), codec.SpeechRate))
	for _, words := range [][]engine.Word{p.Words, f.Words, final(t, s, speech, p.Words[:min(3, len(p.Words))]).Words} {
		if wrong, _ := errorsIn(domain[0], plain(words)); wrong > 1 {
			t.Errorf("heard %q", engine.Text(words))
		}
	}
	if s.partial.timeless < 2 {
		t.Errorf("timestamps were missed %d times in 2 finals", s.partial.timeless)
	}
	full := open(t, load(t, func(c *Config) { c.Path, c.Short = path, false }))
	got := final(t, full, long, nil)
	if n := len(got.Words); n < 10 || n > 30 {
		t.Errorf("%d words: %q", n, engine.Text(got.Words))
	}
}

// TestLongWindows: what no session asks for costs what it costs and no more, and
// the words of all of it are there.
func TestLongWindows(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	speech := speak(t, "slt", domain[0])
	var audio []float32
	for len(audio) < 70*codec.SpeechRate {
		audio = slices.Concat(audio, speech, make([]float32, 5*codec.SpeechRate))
	}
	f := final(t, s, audio, prefix("Turn on the lights in the kitchen."))
	if n := len(f.Words); n < 20 || n > 100 {
		t.Errorf("%d words: %q", n, engine.Text(f.Words))
	}
	if last := f.Words[len(f.Words)-1].End; last < codec.Duration(len(audio)*3/4, codec.SpeechRate) {
		t.Errorf("the last word ends at %v of %v", last, codec.Duration(len(audio), codec.SpeechRate))
	}
	noise := final(t, s, made(60, times(0.1, pink(1))), nil)
	if len(noise.Words) > 0 {
		t.Errorf("noise: %q", engine.Text(noise.Words))
	}
}

// TestTwoLanguages in one utterance: one of them is chosen, and nothing breaks.
func TestTwoLanguages(t *testing.T) {
	t.Parallel()
	path := randomModel(t, 80)
	s := open(t, load(t, func(c *Config) { c.Path, c.Short = path, true }))
	audio := slices.Concat(speak(t, "slt", "good morning"), speak(t, "espeak", "guten Morgen, wie geht es"))
	for _, p := range []engine.Prefix{nil, {{Text: "早上好"}, {Text: "good", Joined: true}, {Text: "Morgen"}}} {
		f := final(t, s, audio, p)
		if f.Language == "" || len(f.Words) < len(p) {
			t.Errorf("%+v", f)
		}
	}
}
