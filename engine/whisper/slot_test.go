//go:build cgo

package whisper

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/codec"
	"parley/engine"
	"parley/engine/models"
)

// TestWordErrors has 20 sentences of the bundled model's domain said by three
// voices in turn, and decoded by two slots at once.
func TestWordErrors(t *testing.T) {
	m := load(t)
	slots := []*Slot{open(t, m), open(t, m)}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var wrong, all [2]int
	voices := []string{"slt", "rms", "espeak"}
	audio := make([][]float32, len(domain))
	for i, text := range domain {
		audio[i] = speak(t, voices[i%3], text)
	}
	for k, s := range slots {
		wg.Go(func() {
			for i := k; i < len(domain); i += 2 {
				f, err := s.Final(context.Background(), engine.Window{Audio: audio[i]}, nil)
				p, err2 := s.Partial(context.Background(), engine.Window{Audio: audio[i]}, nil)
				if err != nil || err2 != nil {
					t.Error(err, err2)
				}
				mu.Lock()
				for j, words := range [][]engine.Word{f.Words, p.Words} {
					bad, n := errorsIn(domain[i], plain(words))
					wrong[j], all[j] = wrong[j]+bad, all[j]+n
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	rate := func(j int) float64 { return 100 * float64(wrong[j]) / float64(all[j]) }
	t.Logf("word error rate of %d words: finals %.1f %%, partials %.1f %%", all[0], rate(0), rate(1))
	if rate(0) > 20 || rate(1) > 20 {
		t.Errorf("finals %.1f %%, partials %.1f %% of words are wrong, want at most 20 %%", rate(0), rate(1))
	}
}

// TestSameOnFreshAndUsedState guards against what flash attention does in
// whisper.cpp up to 1.9.5 at least: it attends to padding where an earlier run
// with another encoder length has left its keys and values. A result must not
// depend on what the slot, and so perhaps another session, did before.
func TestSameOnFreshAndUsedState(t *testing.T) {
	t.Parallel()
	lights, digits := speak(t, "slt", domain[0]), speak(t, "rms", domain[19])
	long := append(append([]float32(nil), digits...), make([]float32, 12*codec.SpeechRate)...)
	for _, short := range []bool{true, false} {
		m := load(t, func(c *Config) { c.Short = short })
		fresh, used := open(t, m), open(t, m)
		for _, audio := range [][]float32{long, digits} {
			decodeBoth(t, used, audio)
		}
		wantPartial, wantFinal := decodeBoth(t, fresh, lights)
		partial, final := decodeBoth(t, used, lights)
		if d := cmp.Diff(wantPartial, partial); d != "" {
			t.Errorf("short %v: partial differs: %s", short, d)
		}
		if d := cmp.Diff(wantFinal, final); d != "" {
			t.Errorf("short %v: final differs: %s", short, d)
		}
		if len(partial.Words) == 0 || len(final.Words) == 0 {
			t.Errorf("short %v: nothing heard", short)
		}
	}
}

func decodeBoth(t *testing.T, s *Slot, audio []float32) (engine.Hypothesis, engine.Transcript) {
	t.Helper()
	p, err := s.Partial(context.Background(), engine.Window{Audio: audio}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Final(context.Background(), engine.Window{Audio: audio}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

// TestParallelAsInTurn runs two slots on one model at once: each must hear just
// what it hears alone.
func TestParallelAsInTurn(t *testing.T) {
	m := load(t)
	slots := []*Slot{open(t, m), open(t, m)}
	audio := [][]float32{speak(t, "slt", domain[1]), speak(t, "espeak", domain[14])}
	var want [2]engine.Transcript
	for i, s := range slots {
		_, want[i] = decodeBoth(t, s, audio[i])
		if len(want[i].Words) == 0 {
			t.Fatal("nothing heard")
		}
	}
	var wg sync.WaitGroup
	for i, s := range slots {
		wg.Go(func() {
			for range 4 {
				got, err := s.Final(context.Background(), engine.Window{Audio: audio[i]}, nil)
				if d := cmp.Diff(want[i], got); err != nil || d != "" {
					t.Errorf("slot %d: %v %s", i, err, d)
				}
			}
		})
	}
	wg.Wait()
}

func TestCancelledMidDecode(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	audio := speak(t, "slt", domain[0])
	long := append(append([]float32(nil), audio...), make([]float32, 25*codec.SpeechRate)...)
	_, want := decodeBoth(t, s, audio)
	cause := errors.New("speech went on")
	for range 3 {
		ctx, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, cause)
		_, err := s.Final(ctx, engine.Window{Audio: long}, nil)
		cancel()
		if !errors.Is(err, cause) {
			t.Fatalf("got %v, want the cause", err)
		}
		if n := len(s.final.tokens()); n > 0 {
			t.Errorf("decoded %d tokens after the cancel", n)
		}
	}
	if _, got := decodeBoth(t, s, audio); cmp.Diff(want, got) != "" {
		t.Errorf("after cancels: %s", cmp.Diff(want, got))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := s.Partial(ctx, engine.Window{Audio: audio}, nil); !errors.Is(err, cause) {
		t.Errorf("already cancelled: %v", err)
	}
}

func TestWindowsOfAllLengths(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	speech := speak(t, "slt", domain[0])
	var long []float32
	for len(long) < 33*codec.SpeechRate {
		long = append(long, speech...)
	}
	for _, n := range []int{0, 1, 160, 1600, 8000, len(speech), 26 * codec.SpeechRate, len(long)} {
		audio := long[:n]
		p, f := decodeBoth(t, s, audio)
		length := codec.Duration(n, codec.SpeechRate)
		for _, words := range [][]engine.Word{p.Words, f.Words} {
			at := time.Duration(0)
			for _, w := range words {
				if w.Start < at || w.End < w.Start || w.End > length || w.P <= 0 || w.P > 1 || strings.TrimSpace(w.Text) != w.Text || w.Text == "" {
					t.Errorf("%v: word %+v after %v", length, w, at)
				}
				at = w.End
			}
		}
		if n == len(long) && len(f.Words) < 10 {
			t.Errorf("%d words of %v", len(f.Words), length)
		}
	}
}

func TestRequestsThatCannotBe(t *testing.T) {
	s := open(t, load(t))
	audio := make([]float32, codec.SpeechRate)
	nan := append([]float32{float32(math.NaN())}, audio...)
	for text, w := range map[string]engine.Window{
		"unknown language":       {Audio: audio, Language: "fr"},
		"cannot translate":       {Audio: audio, Task: engine.Translate},
		`unknown task "sing"`:    {Audio: audio, Task: "sing"},
		"samples that are no nu": {Audio: nan},
	} {
		_, err := s.Partial(context.Background(), w, nil)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want %q, got %v", text, err)
		}
	}
	if _, err := s.Final(context.Background(), engine.Window{Audio: audio, Language: "fr"}, nil); !errors.Is(err, engine.ErrUnknownLanguage) {
		t.Errorf("French: %v", err)
	}
	speech := speak(t, "slt", domain[10])
	for _, p := range []string{"window", strings.Repeat("ä word \x00 \xff", 1000)} {
		f, err := s.Final(context.Background(), engine.Window{Audio: speech, Language: "en", Task: engine.Transcribe, Prompt: p}, nil)
		if err != nil || f.Language != "en" {
			t.Errorf("prompt of %d bytes: %q, %v", len(p), f.Language, err)
		}
	}
}

func TestOwnership(t *testing.T) {
	var lines []string
	m, err := Load(Config{Path: bundled, Backends: load(t).config.Backends, Log: func(l Level, s string) { lines = append(lines, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(lines, "\n"), "n_vocab") {
		t.Errorf("log: %q", lines)
	}
	if d := m.Device(); d.Name == "" || d.Type == "" || m.Multilingual() || !cmp.Equal(m.Languages(), []string{"en"}) || Version() == "" {
		t.Errorf("%+v, %v, %q", d, m.Languages(), Version())
	}
	s, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err == nil {
		t.Error("closed under an open slot")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Final(context.Background(), engine.Window{}, nil); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("closed slot: %v", err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.Open(); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("closed model: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	backends := load(t).config.Backends
	for text, c := range map[string]Config{
		"no model file":  {},
		"neither auto":   {Path: bundled, GPU: "yes"},
		"graphics card":  {Path: bundled, Device: -1},
		"threads":        {Path: bundled, Threads: 1000},
		"no such file":   {Path: "none.bin", Backends: backends},
		"not a usable m": {Path: "slot.go", Backends: backends},
	} {
		if _, err := Load(c); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want %q, got %v", text, err)
		}
	}
	if _, err := Load(Config{Path: "slot.go"}); !errors.Is(err, models.ErrFormat) {
		t.Errorf("a text as model: %v", err)
	}
}
