package enginetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/engine"
	"parley/engine/enginetest"
)

func seconds(s float64) []float32 { return make([]float32, int(s*codec.SpeechRate)) }

func TestSlotHearsWhatHasBegun(t *testing.T) {
	s := &enginetest.Slot{Script: [][]engine.Word{enginetest.Say("turn on the lights", 0, time.Second), enginetest.Say("yes", 0, time.Second)}}
	ctx := context.Background()
	h, err := s.Partial(ctx, engine.Window{Audio: seconds(3.5)}, nil)
	if err != nil || engine.Text(h.Words) != "turn on the lig" {
		t.Fatalf("partial %q, %v", engine.Text(h.Words), err)
	}
	for _, want := range []string{"turn on the lights", "yes", "yes"} {
		f, err := s.Final(ctx, engine.Window{Audio: seconds(5)}, nil)
		if err != nil || engine.Text(f.Words) != want {
			t.Fatalf("final %q, %v; want %q", engine.Text(f.Words), err, want)
		}
	}
	if n := len(s.Calls()); n != 4 {
		t.Errorf("%d calls, want 4", n)
	}
}

func TestSlotTakesItsTimeAndStopsForTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &enginetest.Slot{Latency: time.Second, PerSecond: time.Second}
		begin := time.Now()
		if _, err := s.Partial(t.Context(), engine.Window{Audio: seconds(2)}, nil); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("took %v, want 3s", d)
		}
		cause := errors.New("barge-in")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		begin = time.Now()
		if _, err := s.Final(ctx, engine.Window{Audio: seconds(2)}, nil); !errors.Is(err, cause) || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

func TestSynthesizerMarksEachWord(t *testing.T) {
	s := &enginetest.Synthesizer{PerRune: 10 * time.Millisecond, Chunk: 25 * time.Millisecond}
	var marks []engine.Mark
	samples := 0
	err := s.Speak(context.Background(), engine.Phrase{Text: "hé you"}, func(c engine.Chunk) error {
		marks = append(marks, c.Marks...)
		samples += len(c.PCM)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Mark{{From: 0, To: 2}, {From: 3, To: 6, At: 30 * time.Millisecond}}
	if d := cmp.Diff(want, marks); d != "" || samples != 6*160 {
		t.Errorf("%d samples, marks %s", samples, d)
	}
	stop := errors.New("enough")
	if err := s.Speak(context.Background(), engine.Phrase{Text: "a"}, func(engine.Chunk) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("emit's error came back as %v", err)
	}
	if err := s.Speak(context.Background(), engine.Phrase{Text: "a", Voice: "x"}, nil); !errors.Is(err, engine.ErrUnknownVoice) {
		t.Errorf("unknown voice gave %v", err)
	}
}
