package espeak

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, c Config) *Synth {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wrapper is a program that answers --voices as espeak-ng does and otherwise
// does what script says; $ESPEAK is the real program, $DIR an empty folder.
func wrapper(t *testing.T, script string) string {
	t.Helper()
	real, err := exec.LookPath("espeak-ng")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "wrapper")
	text := fmt.Sprintf("#!/bin/sh\nESPEAK=%s\nDIR=%s\n[ \"$1\" = --voices ] && exec $ESPEAK \"$@\"\n%s\n", real, dir, script)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

type heard struct {
	pcm   []float32
	marks []engine.Mark
}

func (h heard) duration() time.Duration { return time.Duration(len(h.pcm)) * time.Second / Rate }

func (h *heard) emit(t testing.TB) func(engine.Chunk) error {
	return func(c engine.Chunk) error {
		start := h.duration()
		if c.Rate != Rate || len(c.PCM) == 0 || len(c.PCM) > chunk {
			t.Errorf("chunk of %d samples at %d Hz", len(c.PCM), c.Rate)
		}
		h.pcm = append(h.pcm, c.PCM...)
		for _, m := range c.Marks {
			if m.At < start-time.Millisecond || m.At > h.duration() {
				t.Errorf("mark %+v sent with audio %v to %v", m, start, h.duration())
			}
		}
		h.marks = append(h.marks, c.Marks...)
		return nil
	}
}

func speak(t testing.TB, s *Synth, voice, text string, speed float64) heard {
	t.Helper()
	var h heard
	if err := s.Speak(t.Context(), engine.Phrase{Text: text, Voice: voice, Speed: speed}, h.emit(t)); err != nil {
		t.Fatalf("%s %.40q: %v", voice, text, err)
	}
	return h
}

func TestManyLanguagesSpeak(t *testing.T) {
	s := open(t, Config{})
	if n := len(s.Voices()); n < 100 {
		t.Errorf("%d voices", n)
	}
	for voice, text := range map[string]string{
		"espeak/de": "Guten Tag, wie geht es Ihnen?", "espeak/en-gb": "Good morning.", "espeak/fr-fr": "Bonjour tout le monde.",
		"espeak/ru": "Добрый день.", "espeak/cmn": "你好，世界。", "espeak/ar": "مرحبا بالعالم", "espeak/hi": "नमस्ते दुनिया",
	} {
		h := speak(t, s, voice, text, 1)
		if d := h.duration(); d < 500*time.Millisecond || d > 6*time.Second {
			t.Errorf("%s speaks for %v", voice, d)
		}
		if len(h.marks) == 0 {
			t.Errorf("%s: no marks", voice)
		}
	}
}

func TestCrashCostsOneRetry(t *testing.T) {
	const text = "This sentence is said whole, whatever happens to the program."
	want := speak(t, open(t, Config{}), "espeak/en-us", text, 1)
	tests := map[string]string{
		"killed mid-sentence": `mkdir $DIR/once 2>/dev/null && { $ESPEAK "$@" | head -c 20000; kill -9 $$; }; exec $ESPEAK "$@"`,
		"fails at the end":    `mkdir $DIR/once 2>/dev/null && { $ESPEAK "$@"; exit 1; }; exec $ESPEAK "$@"`,
		"aborts at once":      `mkdir $DIR/once 2>/dev/null && kill -ABRT $$; exec $ESPEAK "$@"`,
		"hangs":               `mkdir $DIR/once 2>/dev/null && sleep 100; exec $ESPEAK "$@"`,
		"prints no WAV":       `mkdir $DIR/once 2>/dev/null && { echo oops; exit 0; }; exec $ESPEAK "$@"`,
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			timeout := time.Minute
			if name == "hangs" {
				timeout = 3 * time.Second // time enough for the second attempt on a busy machine
			}
			s := open(t, Config{Program: wrapper(t, script), Timeout: timeout})
			if !slices.Equal(want.pcm, speak(t, s, "espeak/en-us", text, 1).pcm) {
				t.Error("the sentence is not what it is without a crash")
			}
		})
	}
}

func TestSecondCrashIsAnError(t *testing.T) {
	s := open(t, Config{Program: wrapper(t, `kill -9 $$`)})
	err := s.Speak(t.Context(), engine.Phrase{Text: "Hello.", Voice: "espeak/de", Speed: 1}, func(engine.Chunk) error {
		t.Error("audio from a dead program")
		return nil
	})
	if !errors.Is(err, ErrCrashed) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("error %v", err)
	}
}

func TestMarkupIsNotObeyed(t *testing.T) {
	s := open(t, Config{})
	for _, text := range []string{
		`a <break time="988s"/> b`, `<speak><break time="988000ms"/></speak>`, "\x01999P \x0110s <audio src='x'/>",
	} {
		if d := speak(t, s, "espeak/en-us", text, 1).duration(); d > 20*time.Second {
			t.Errorf("%q takes %v", text, d)
		}
	}
	plain := speak(t, s, "espeak/en-us", "h@loU", 1)
	if !slices.Equal(plain.pcm, speak(t, s, "espeak/en-us", "[[h@loU]]", 1).pcm) {
		t.Error("doubled brackets are taken for phonemes")
	}
}

func TestOutputIsCapped(t *testing.T) {
	s := open(t, Config{MaxDuration: 2 * time.Second})
	var h heard
	err := s.Speak(t.Context(), engine.Phrase{Text: strings.Repeat("9", 5000), Voice: "espeak/de", Speed: 0.25}, h.emit(t))
	if !errors.Is(err, ErrTooLong) || h.duration() != 2*time.Second {
		t.Errorf("%v of audio, error %v", h.duration(), err)
	}
}

func TestNothingToSay(t *testing.T) {
	s := open(t, Config{})
	for _, text := range []string{"", " \n", "...", "\x00\x01\x02", "\xff\xfe", "—", "\u200b", "[]"} {
		if h := speak(t, s, "espeak/de", text, 1); len(h.pcm) != 0 {
			t.Errorf("%q makes %v of audio", text, h.duration())
		}
	}
}

func TestCancel(t *testing.T) {
	why := errors.New("barge-in")
	t.Run("between chunks", func(t *testing.T) {
		s := open(t, Config{})
		ctx, cancel := context.WithCancelCause(t.Context())
		chunks := 0
		err := s.Speak(ctx, engine.Phrase{Text: "Never heard to its end.", Voice: "espeak/en-us", Speed: 1}, func(engine.Chunk) error {
			if chunks++; chunks == 2 {
				cancel(why)
			}
			return nil
		})
		if !errors.Is(err, why) || chunks != 2 {
			t.Errorf("%d chunks, error %v", chunks, err)
		}
	})
	t.Run("while the program works", func(t *testing.T) {
		s := open(t, Config{Program: wrapper(t, "mkdir $DIR/started; sleep 100"), Processes: 1, Timeout: time.Minute})
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		for range 2 { // one at work, one waiting for the slot
			wg.Go(func() {
				err := s.Speak(ctx, engine.Phrase{Text: "Hello.", Voice: "espeak/de", Speed: 1}, nil)
				if !errors.Is(err, why) {
					t.Errorf("error %v", err)
				}
			})
		}
		for started := filepath.Join(filepath.Dir(s.program.path), "started"); ; {
			if _, err := os.Stat(started); err == nil {
				break
			}
		}
		cancel(why)
		wg.Wait()
	})
}

func TestErrors(t *testing.T) {
	_, err := Open(t.Context(), Config{Program: "no-such-espeak"})
	if !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "install the package espeak-ng") {
		t.Errorf("missing program: %v", err)
	}
	if _, err := Open(t.Context(), Config{Program: "true"}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("another program: %v", err)
	}
	for _, c := range []Config{{Processes: -1}, {Timeout: -1}, {MaxDuration: -1}} {
		if _, err := Open(t.Context(), c); err == nil {
			t.Errorf("config %+v is accepted", c)
		}
	}
	s := open(t, Config{})
	full := errors.New("full")
	for _, voice := range []string{"espeak/xx", "de", "espeak/../../etc/passwd", "espeak/--help", "espeak/"} {
		if err := s.Speak(t.Context(), engine.Phrase{Text: "a", Voice: voice, Speed: 1}, nil); !errors.Is(err, engine.ErrUnknownVoice) {
			t.Errorf("voice %s: %v", voice, err)
		}
	}
	for _, speed := range []float64{0, -1, 5, math.NaN()} {
		if err := s.Speak(t.Context(), engine.Phrase{Text: "a", Voice: "espeak/de", Speed: speed}, nil); err == nil {
			t.Errorf("speed %v is accepted", speed)
		}
	}
	err = s.Speak(t.Context(), engine.Phrase{Text: "a", Voice: "espeak/de", Speed: 1}, func(engine.Chunk) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("emit: %v", err)
	}
}

func TestConcurrentSpeakersDoNotMix(t *testing.T) {
	s := open(t, Config{Processes: 2})
	texts := []string{"Turn on the light.", "One two three.", "Guten Tag.", "Wie geht es?"}
	var alone []heard
	for _, text := range texts {
		alone = append(alone, speak(t, s, "espeak/de", text, 1))
	}
	var wg sync.WaitGroup
	for i, text := range texts {
		wg.Go(func() {
			for range 3 {
				if !slices.Equal(alone[i].pcm, speak(t, s, "espeak/de", text, 1).pcm) {
					t.Errorf("%q sounds different beside others", text)
				}
			}
		})
	}
	wg.Wait()
}

func TestTheChildSeesNoEnvironment(t *testing.T) {
	t.Setenv("PARLEY_SECRET", "canary")
	s := open(t, Config{Program: wrapper(t, `[ -z "$PARLEY_SECRET" ] || exit 3; exec $ESPEAK "$@"`)})
	speak(t, s, "espeak/en-us", "Hello.", 1)
}

func BenchmarkSpeak(b *testing.B) {
	s := open(b, Config{})
	var first, audio time.Duration
	for b.Loop() {
		start, heard := time.Now(), false
		p := engine.Phrase{Text: "Your train leaves from platform four at half past ten.", Voice: "espeak/en-us", Speed: 1}
		err := s.Speak(b.Context(), p, func(c engine.Chunk) error {
			if !heard {
				first, heard = first+time.Since(start), true
			}
			audio += time.Duration(len(c.PCM)) * time.Second / Rate
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(first.Seconds()*1000/float64(b.N), "ms-to-first-audio")
	b.ReportMetric(audio.Seconds()/b.Elapsed().Seconds(), "x-real-time")
}
