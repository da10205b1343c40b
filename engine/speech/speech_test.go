//go:build cgo

package speech

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/espeak"
	"parley/engine/flite"
)

func voices(t testing.TB) *Voices {
	t.Helper()
	f, err := flite.Open(flite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := espeak.Open(t.Context(), espeak.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return NewVoices(flite.Default, f, e)
}

type recording struct {
	pcm   []float32
	rate  int
	marks []engine.Mark
}

func (r *recording) end() time.Duration {
	return time.Duration(len(r.pcm)) * time.Second / time.Duration(max(r.rate, 1))
}

func (r *recording) emit(t testing.TB) func(engine.Chunk) error {
	return func(c engine.Chunk) error {
		start := r.end()
		r.pcm, r.rate = append(r.pcm, c.PCM...), c.Rate
		for _, m := range c.Marks {
			if m.At < start-time.Millisecond || m.At > r.end() {
				t.Errorf("mark %+v sent with audio %v to %v", m, start, r.end())
			}
		}
		r.marks = append(r.marks, c.Marks...)
		return nil
	}
}

// say speaks text that arrives a few characters at a time.
func say(t testing.TB, s engine.Synthesizer, voice, text string) *recording {
	t.Helper()
	var r recording
	var split Splitter
	speech := NewSpeech(s, voice, 1)
	speak := func(clauses []Clause) {
		for _, c := range clauses {
			if err := speech.Say(t.Context(), c, r.emit(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range text {
		speak(split.Push(string(r)))
	}
	speak(split.Flush())
	if err := speech.End(r.emit(t)); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestWordsAreMarkedInTheWholeText(t *testing.T) {
	const text = "Hello there, Dr. Smith! You owe me $12.50, **not** 3 euros; it is 10:30 [laugh] now. See example.com."
	want := strings.Fields("Hello there Dr. Smith You owe me $12.50 not 3 euros it is 10:30 now See example.com")
	v := voices(t)
	for _, voice := range []string{"flite/slt", "flite/kal16", "espeak/en-us"} {
		r := say(t, v, voice, text)
		var got []string
		last := engine.Mark{At: -1}
		for _, m := range r.marks {
			got = append(got, string([]rune(text)[m.From:m.To]))
			if m.From < last.To || m.At <= last.At {
				t.Errorf("%s: mark %+v after %+v", voice, m, last)
			}
			last = m
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", voice, diff)
		}
		if last.At > r.end() || last.At < r.end()-2*time.Second {
			t.Errorf("%s: the last word begins at %v of %v", voice, last.At, r.end())
		}
	}
}

// longestSilence is the longest stretch below -40 dB within a recording.
func longestSilence(r *recording) time.Duration {
	longest, run := 0, 0
	for _, v := range r.pcm {
		if run++; math.Abs(float64(v)) > 0.01 {
			run = 0
		}
		longest = max(longest, run)
	}
	return time.Duration(longest) * time.Second / time.Duration(r.rate)
}

func TestPausesFollowThePunctuation(t *testing.T) {
	v := voices(t)
	for _, voice := range []string{"flite/slt", "flite/kal16", "espeak/en-us"} {
		comma := longestSilence(say(t, v, voice, "We go home now, we are tired"))
		sentence := longestSilence(say(t, v, voice, "We go home now. We are tired"))
		if comma < 100*time.Millisecond || comma > 260*time.Millisecond {
			t.Errorf("%s: %v after a comma", voice, comma)
		}
		if sentence < 250*time.Millisecond || sentence > 420*time.Millisecond {
			t.Errorf("%s: %v after a sentence", voice, sentence)
		}
	}
}

func TestOtherLanguages(t *testing.T) {
	v := voices(t)
	voice, err := v.Find("", "de")
	if err != nil {
		t.Fatal(err)
	}
	const text = "Guten Tag, es ist 10:30 Uhr. Wie geht es?"
	var got []string
	for _, m := range say(t, v, voice.ID, text).marks {
		got = append(got, string([]rune(text)[m.From:m.To]))
	}
	if diff := cmp.Diff(strings.Fields("Guten Tag es ist 10:30 Uhr Wie geht es"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNothingToSay(t *testing.T) {
	v := voices(t)
	for _, text := range []string{"", "  \n", "[laugh]", "...", "😀", "<break time='9s'/>", "** **"} {
		if r := say(t, v, "flite/kal16", text); len(r.pcm) != 0 {
			t.Errorf("%q makes %v of sound", text, r.end())
		}
	}
}

func TestSayErrors(t *testing.T) {
	v := voices(t)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	full := errors.New("full")
	tests := []struct {
		name, voice, text string
		ctx               context.Context
		want              error
	}{
		{"voice", "flite/bob", "Hello.", t.Context(), engine.ErrUnknownVoice},
		{"context", "flite/slt", "Hello.", done, context.Canceled},
		{"context without text", "flite/slt", "...", done, context.Canceled},
		{"emit", "flite/slt", "Hello.", t.Context(), full},
	}
	for _, tt := range tests {
		speech := NewSpeech(v, tt.voice, 1)
		err := speech.Say(tt.ctx, Clause{Text: tt.text, To: len(tt.text)}, func(engine.Chunk) error { return full })
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestFind(t *testing.T) {
	v := voices(t)
	tests := []struct{ voice, lang, want string }{
		{"", "", "flite/slt"},
		{"slt", "", "flite/slt"},
		{"KAL16", "", "flite/kal16"},
		{"flite/awb", "de", "flite/awb"},
		{"de", "", "espeak/de"},
		{"espeak/en-gb", "", "espeak/en-gb"},
		{"", "en", "flite/slt"},
		{"", "en-US", "flite/slt"},
		{"", "en-GB", "espeak/en-gb"},
		{"", "de", "espeak/de"},
		{"", "de-AT", "espeak/de"},
		{"", "fr", "espeak/fr-fr"},
		{"", "pt-BR", "espeak/pt-br"},
		{"", "zh", "espeak/cmn"},
		{"zh", "", "espeak/cmn"},
		{"", "no", "espeak/nb"},
	}
	for _, tt := range tests {
		got, err := v.Find(tt.voice, tt.lang)
		if err != nil || got.ID != tt.want {
			t.Errorf("Find(%q, %q) = %s, %v; want %s", tt.voice, tt.lang, got.ID, err, tt.want)
		}
	}
	for _, bad := range [][2]string{{"bob", ""}, {"flite/de", ""}, {"", "xx"}, {"", "not a language"}, {"", "tlh"}, {"../slt", ""}, {"flite/", ""}} {
		if got, err := v.Find(bad[0], bad[1]); !errors.Is(err, engine.ErrUnknownVoice) {
			t.Errorf("Find(%q, %q) = %v, %v", bad[0], bad[1], got, err)
		}
	}
	if _, err := NewVoices("").Find("", ""); !errors.Is(err, engine.ErrUnknownVoice) || !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("without voices: %v", err)
	}
	if first := v.Voices()[0].ID; first != "flite/slt" {
		t.Errorf("the first voice is %s", first)
	}
}

// BenchmarkFirstAudio measures from the first character to the first sound of a
// text that is all there.
func BenchmarkFirstAudio(b *testing.B) {
	v := voices(b)
	for _, voice := range []string{"flite/slt", "flite/kal16", "espeak/en-us"} {
		b.Run(strings.ReplaceAll(voice, "/", "-"), func(b *testing.B) {
			var first, audio time.Duration
			for b.Loop() {
				start, heard := time.Now(), false
				var split Splitter
				speech := NewSpeech(v, voice, 1)
				emit := func(c engine.Chunk) error {
					if !heard {
						first, heard = first+time.Since(start), true
					}
					audio += time.Duration(len(c.PCM)) * time.Second / time.Duration(c.Rate)
					return nil
				}
				for _, c := range append(split.Push("Good morning, your train leaves from platform four at 10:30 today. Do not be late."), split.Flush()...) {
					if err := speech.Say(b.Context(), c, emit); err != nil {
						b.Fatal(err)
					}
				}
				if err := speech.End(emit); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(first.Seconds()*1000/float64(b.N), "ms-to-first-audio")
			b.ReportMetric(audio.Seconds()/b.Elapsed().Seconds(), "x-real-time")
		})
	}
}
