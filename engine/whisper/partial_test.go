//go:build cgo

package whisper

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func texts(words []engine.Word) []string {
	var out []string
	for _, w := range words {
		out = append(out, w.Text)
	}
	return out
}

// TestPrefixIsForced: whatever the prefix, a partial begins with it word for
// word, and goes on with what is heard after it.
func TestPrefixIsForced(t *testing.T) {
	s := open(t, load(t))
	w := engine.Window{Audio: speak(t, "slt", "turn on the light in the kitchen")}
	free, err := s.Partial(context.Background(), w, nil)
	if err != nil || len(free.Words) < 5 {
		t.Fatal(free.Words, err)
	}
	for n := 1; n < len(free.Words); n++ {
		got, err := s.Partial(context.Background(), w, engine.Prefix(free.Words[:n]))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(texts(free.Words), texts(got.Words)); d != "" {
			t.Errorf("after %d words of what was heard without a prefix:\n%s", n, d)
		}
	}
	other := engine.Prefix{{Text: "Turn"}, {Text: "off"}}
	got, err := s.Partial(context.Background(), w, other)
	if err != nil {
		t.Fatal(err)
	}
	if text := engine.Text(got.Words); !strings.HasPrefix(text, "Turn off") || !strings.Contains(text, "kitchen") {
		t.Errorf("after %q: %q", engine.Text(other), text)
	}
}

// TestWordsAreGivenFree: a decoder with nothing to add to a wrong prefix may
// change the end of it.
func TestWordsAreGivenFree(t *testing.T) {
	s := open(t, load(t))
	audio := speak(t, "slt", "set a timer for ten minutes please")
	wrong := engine.Prefix{{Text: "Thank"}, {Text: "you."}}
	got, err := s.Partial(context.Background(), engine.Window{Audio: audio}, wrong)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(engine.Text(got.Words), "minutes") {
		t.Errorf("got %q", engine.Text(got.Words))
	}
}

// TestPartialsHearLikeTheLibrary compares the decoder of partials with the
// library's own on the same sentences.
func TestPartialsHearLikeTheLibrary(t *testing.T) {
	s := open(t, load(t))
	differ := 0
	for i, text := range domain[:10] {
		w := engine.Window{Audio: speak(t, []string{"slt", "rms"}[i%2], text)}
		ours, err := s.Partial(context.Background(), w, nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := s.decode(context.Background(), w, false)
		if err != nil {
			t.Fatal(err)
		}
		if cmp.Diff(texts(ours.Words), texts(theirs.Words)) != "" {
			t.Logf("%q: ours %q, the library's %q", text, engine.Text(ours.Words), engine.Text(theirs.Words))
			differ++
		}
	}
	if differ > 2 {
		t.Errorf("%d of 10 differ", differ)
	}
}

func TestPartialOfEverything(t *testing.T) {
	s := open(t, load(t))
	audio := speak(t, "slt", "set a timer for ten minutes please")
	long := make([]float32, 35*16000)
	copy(long[30*16000:], audio[:2*16000])
	many := make(engine.Prefix, 300)
	for i := range many {
		many[i] = engine.Word{Text: "number", End: time.Second}
	}
	for name, tc := range map[string]struct {
		audio  []float32
		prefix engine.Prefix
		prompt string
	}{
		"short":         {audio[:1600], nil, ""},
		"long":          {long, engine.Prefix{{Text: "Alarm"}}, ""},
		"long prefix":   {audio, many, ""},
		"long prompt":   {audio, many, strings.Repeat("kitchen ", 400)},
		"odd prefix":    {audio, engine.Prefix{{Text: "\x00\xff<|endoftext|>"}}, "\x00"},
		"only a prompt": {audio, nil, "lights, kitchen"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Partial(context.Background(), engine.Window{Audio: tc.audio, Prompt: tc.prompt}, tc.prefix)
			if err != nil {
				t.Fatal(err)
			}
			if name == "long" && (len(got.Words) < 2 || got.Words[0].Text != "Alarm") {
				t.Errorf("does not go on after the prefix: %q", engine.Text(got.Words))
			}
			at := time.Duration(0)
			for _, w := range got.Words {
				if w.Start < at || w.End < w.Start {
					t.Fatalf("times go back: %+v", got.Words)
				}
				at = w.Start
			}
		})
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := s.Partial(ctx, engine.Window{Audio: audio}, nil); !errors.Is(err, cause) {
		t.Error(err)
	}
}
