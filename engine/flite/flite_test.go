//go:build cgo

package flite

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func open(t testing.TB, c Config) *Synth {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type heard struct {
	pcm    []float32
	rate   int
	chunks int
	marks  []engine.Mark
}

func (h heard) duration() time.Duration {
	return time.Duration(len(h.pcm)) * time.Second / time.Duration(max(h.rate, 1))
}

func speak(t testing.TB, s *Synth, voice, text string, speed float64) heard {
	t.Helper()
	var h heard
	err := s.Speak(context.Background(), engine.Phrase{Text: text, Voice: voice, Speed: speed}, func(c engine.Chunk) error {
		end := h.duration() + time.Duration(len(c.PCM))*time.Second/time.Duration(c.Rate)
		for _, m := range c.Marks {
			if m.At < h.duration()-time.Millisecond || m.At >= end+time.Millisecond {
				t.Errorf("mark %+v sent with audio %v to %v", m, h.duration(), end)
			}
		}
		h.pcm, h.rate, h.chunks = append(h.pcm, c.PCM...), c.Rate, h.chunks+1
		h.marks = append(h.marks, c.Marks...)
		return nil
	})
	if err != nil {
		t.Fatalf("%s %.40q: %v", voice, text, err)
	}
	return h
}

func rms(pcm []float32) float64 {
	var sum float64
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(pcm), 1)))
}

func TestEveryVoiceSpeaks(t *testing.T) {
	s := open(t, Config{})
	text := `Dr. Smith paid $12.50, "hello (world)" — at 10:30.`
	want := []string{"Dr", "Smith", "paid", "$12.50", "hello", "world", "at", "10:30"}
	for _, v := range s.Voices() {
		h := speak(t, s, v.ID, text, 1)
		if h.rate != v.Rate || h.chunks < 20 {
			t.Errorf("%s: %d chunks at %d Hz", v.ID, h.chunks, h.rate)
		}
		if d := h.duration(); d < 2*time.Second || d > 8*time.Second {
			t.Errorf("%s speaks for %v", v.ID, d)
		}
		if level := rms(h.pcm); level < 0.01 || level > 0.5 {
			t.Errorf("%s has level %v", v.ID, level)
		}
		var words []string
		last := time.Duration(-1)
		for _, m := range h.marks {
			words = append(words, string([]rune(text)[m.From:m.To]))
			if m.At <= last {
				t.Errorf("%s: mark %+v is not after %v", v.ID, m, last)
			}
			last = m.At
		}
		if diff := cmp.Diff(want, words); diff != "" {
			t.Errorf("%s marks (-want +got):\n%s", v.ID, diff)
		}
	}
}

func TestMarksFollowTheSound(t *testing.T) {
	s := open(t, Config{})
	h := speak(t, s, "flite/kal16", "one, "+strings.Repeat("two ", 90)+"three", 1)
	m := h.marks[len(h.marks)-1]
	if left := h.duration() - m.At; left < 200*time.Millisecond || left > time.Second {
		t.Errorf("the last word begins %v before the end of %v", left, h.duration())
	}
	at := int(h.marks[1].At * time.Duration(h.rate) / time.Second)
	before, after := rms(h.pcm[at-800:at]), rms(h.pcm[at+400:at+2400])
	if before*3 > after {
		t.Errorf("level %v before the second word, %v in it", before, after)
	}
}

func TestSpeed(t *testing.T) {
	s := open(t, Config{})
	for _, voice := range []string{"flite/slt", "flite/kal16"} {
		normal := speak(t, s, voice, "A quick fox.", 1).duration()
		for _, speed := range []float64{0.25, 4} {
			got := speak(t, s, voice, "A quick fox.", speed).duration()
			if ratio := normal.Seconds() / got.Seconds() / speed; ratio < 0.6 || ratio > 1.5 {
				t.Errorf("%s at speed %v takes %v, at 1 %v", voice, speed, got, normal)
			}
		}
	}
}

func TestNothingToSay(t *testing.T) {
	s := open(t, Config{})
	for _, text := range []string{"", " ", "...", "\x00\x01", "日本語", "\xff\xfe", "🎉", "()[]{}<>"} {
		if h := speak(t, s, Default, text, 1); h.chunks != 0 {
			t.Errorf("%q makes %v of audio", text, h.duration())
		}
	}
}

func TestOddTextIsSurvived(t *testing.T) {
	s := open(t, Config{MaxDuration: 300 * time.Millisecond})
	for _, text := range []string{
		`<speak><break time="999s"/></speak>`, "a" + strings.Repeat("\x00b", 50), "%s%n%d %x", `\\\"'` + "`x`",
		"$ $1 $1.2.3 #1 @a &b", "1/0 -1 1e309 1,2,3,4.5.6", "I'll don't 'tis rock'n'roll", "IV XIX MMXIX",
		strings.Repeat("ab", 500), strings.Repeat("9", 500), strings.Repeat("!?", 300) + "x", "A.B.C.D.", "x_y-z~^|",
	} {
		for _, v := range s.Voices() {
			p := engine.Phrase{Text: text, Voice: v.ID, Speed: 2}
			err := s.Speak(t.Context(), p, func(engine.Chunk) error { return nil })
			if err != nil && !errors.Is(err, ErrTooLong) {
				t.Errorf("%s %.20q: %v", v.ID, text, err)
			}
		}
	}
}

func TestCancelWithinOneChunk(t *testing.T) {
	s := open(t, Config{})
	why := errors.New("barge-in")
	for _, v := range s.Voices() {
		ctx, cancel := context.WithCancelCause(t.Context())
		chunks := 0
		err := s.Speak(ctx, engine.Phrase{Text: "A sentence that is not heard to its end.", Voice: v.ID, Speed: 1}, func(engine.Chunk) error {
			if chunks++; chunks == 3 {
				cancel(why)
			}
			return nil
		})
		if !errors.Is(err, why) || chunks != 3 {
			t.Errorf("%s: %d chunks, error %v", v.ID, chunks, err)
		}
	}
}

func TestErrors(t *testing.T) {
	s := open(t, Config{MaxDuration: time.Second})
	done, cancel := context.WithCancel(t.Context())
	cancel()
	full := errors.New("full")
	tests := []struct {
		name   string
		ctx    context.Context
		phrase engine.Phrase
		emit   error
		want   error
		text   string
	}{
		{"voice", t.Context(), engine.Phrase{Text: "a", Voice: "flite/bob", Speed: 1}, nil, engine.ErrUnknownVoice, `"flite/bob"`},
		{"no speed", t.Context(), engine.Phrase{Text: "a", Voice: Default}, nil, nil, "speed 0"},
		{"NaN speed", t.Context(), engine.Phrase{Text: "a", Voice: Default, Speed: math.NaN()}, nil, nil, "speed NaN"},
		{"cancelled before", done, engine.Phrase{Text: "a", Voice: Default, Speed: 1}, nil, context.Canceled, ""},
		{"emit", t.Context(), engine.Phrase{Text: "a", Voice: Default, Speed: 1}, full, full, ""},
		{"too long", t.Context(), engine.Phrase{Text: strings.Repeat("long ", 1000), Voice: Default, Speed: 1}, nil, ErrTooLong, "1s"},
	}
	for _, tt := range tests {
		var total time.Duration
		err := s.Speak(tt.ctx, tt.phrase, func(c engine.Chunk) error {
			total += time.Duration(len(c.PCM)) * time.Second / time.Duration(c.Rate)
			return tt.emit
		})
		if err == nil || (tt.want != nil && !errors.Is(err, tt.want)) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if total > time.Second {
			t.Errorf("%s: %v of audio", tt.name, total)
		}
	}
	if _, err := Open(Config{MaxDuration: -1}); err == nil {
		t.Error("a negative duration is accepted")
	}
}

func TestConcurrentSpeakersDoNotMix(t *testing.T) {
	s := open(t, Config{})
	texts := []string{"Turn on the light.", "One two three four five.", "The weather is fine, isn't it?", "Dr. Who at 10:30."}
	alone := make([]heard, len(texts))
	for i, text := range texts {
		alone[i] = speak(t, s, "flite/kal16", text, 1)
	}
	var wg sync.WaitGroup
	for i, text := range texts {
		wg.Go(func() {
			for n := range 3 {
				if !slices.Equal(alone[i].pcm, speak(t, s, "flite/kal16", text, 1).pcm) {
					t.Errorf("%q sounds different beside others", text)
				}
				if n > 0 {
					continue
				}
				if got := speak(t, s, "flite/slt", text, 1); len(got.marks) != len(alone[i].marks) {
					t.Errorf("%q: %d marks, want %d", text, len(got.marks), len(alone[i].marks))
				}
			}
		})
	}
	wg.Wait()
}

// FuzzSpeak looks for text that the library does not survive.
func FuzzSpeak(f *testing.F) {
	for _, text := range []string{"Hello.", "$1,234.56 at 10:30 on 3/4", "<b>&amp;</b>", "A.B. O'Neil's 'x'", "!!! ??? ...1"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, statistical bool) {
		s := open(t, Config{MaxDuration: 200 * time.Millisecond})
		p := engine.Phrase{Text: text, Voice: "flite/kal16", Speed: 4}
		if statistical {
			p.Voice = Default
		}
		err := s.Speak(t.Context(), p, func(engine.Chunk) error { return nil })
		if err != nil && !errors.Is(err, ErrTooLong) {
			t.Fatal(err)
		}
	})
}

func BenchmarkSpeak(b *testing.B) {
	s := open(b, Config{})
	const text = "Your train leaves from platform four at half past ten."
	for _, voice := range []string{"flite/slt", "flite/kal16"} {
		b.Run(strings.TrimPrefix(voice, "flite/"), func(b *testing.B) {
			var first, audio time.Duration
			for b.Loop() {
				start, heard := time.Now(), false
				err := s.Speak(b.Context(), engine.Phrase{Text: text, Voice: voice, Speed: 1}, func(c engine.Chunk) error {
					if !heard {
						first, heard = first+time.Since(start), true
					}
					audio += time.Duration(len(c.PCM)) * time.Second / time.Duration(c.Rate)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(first.Seconds()*1000/float64(b.N), "ms-to-first-audio")
			b.ReportMetric(audio.Seconds()/b.Elapsed().Seconds(), "x-real-time")
		})
	}
}
