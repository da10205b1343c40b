package material

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/codec/codectest"
	"parley/codec/opus"
	"parley/engine/flite"
)

// tone is a hum with silence or faint noise round it, in ms.
func tone(before, length, after int, level, noise float64) []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	pcm := make([]float32, (before+length+after)*codec.SpeechRate/1000)
	for i := range pcm {
		v := noise * random.NormFloat64()
		if t := i * 1000 / codec.SpeechRate; t >= before && t < before+length {
			v += level * math.Sin(2*math.Pi*200*float64(i)/codec.SpeechRate)
		}
		pcm[i] = float32(v)
	}
	return pcm
}

func TestTheSoundTellsWhereSpeechIs(t *testing.T) {
	for _, c := range []struct {
		name       string
		pcm        []float32
		start, end int // ms
	}{
		{"in silence", tone(400, 1000, 600, 0.3, 0), 400, 1400},
		{"faint, in silence", tone(400, 1000, 600, 0.003, 0), 400, 1400},
		{"in noise", tone(400, 1000, 600, 0.3, 0.004), 400, 1400},
		{"nothing but speech", tone(0, 1500, 0, 0.3, 0), 0, 1500},
		{"with a click before it", append(tone(0, 10, 290, 0.3, 0), tone(100, 1000, 100, 0.3, 0)...), 400, 1400},
	} {
		clip, err := NewClip(c.name, "", c.pcm)
		if err != nil {
			t.Fatal(err)
		}
		for _, edge := range []struct {
			what string
			got  time.Duration
			want int
		}{{"start", clip.Start, c.start + 100}, {"end", clip.End, c.end + 100}} {
			if d := (edge.got - time.Duration(edge.want)*time.Millisecond).Abs(); d > 10*time.Millisecond {
				t.Errorf("%s: %s at %v, want %d ms", c.name, edge.what, edge.got, edge.want)
			}
		}
	}
	for name, pcm := range map[string][]float32{"silence": make([]float32, 16000), "nothing": nil, "a click": tone(500, 10, 500, 0.5, 0)} {
		if _, err := NewClip(name, "", pcm); err == nil {
			t.Errorf("%s has speech in it", name)
		}
	}
}

// A session's audio is clips and packets of silence put together; a decoder must
// get what was said from any of them.
func TestClipsCanBePutTogether(t *testing.T) {
	speech := codectest.Speech(t)[:3*codec.SpeechRate]
	clip, err := NewClip("recording", "", speech)
	if err != nil {
		t.Fatal(err)
	}
	if len(clip.PCM) != clip.Frames()*FrameSamples {
		t.Fatalf("%d samples in %d frames", len(clip.PCM), clip.Frames())
	}
	silence, err := Silence()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := opus.NewDecoder(codec.SpeechRate)
	if err != nil {
		t.Fatal(err)
	}
	var heard, want []float32
	for range 2 {
		for range 20 {
			if heard, err = dec.Decode(heard, silence); err != nil {
				t.Fatal(err)
			}
			want = append(want, make([]float32, FrameSamples)...)
		}
		for _, p := range clip.Packets {
			if heard, err = dec.Decode(heard, p); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, clip.PCM...)
	}
	if len(heard) != len(want) {
		t.Errorf("%d samples came out of %d", len(heard), len(want))
	}
	if c := codectest.Correlation(codectest.Envelope(heard, codec.SpeechRate), codectest.Envelope(want, codec.SpeechRate)); c < 0.97 {
		t.Errorf("correlation %v", c)
	}
}

func TestSentencesAreSpoken(t *testing.T) {
	voice, err := flite.Open(flite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	speak := func(seed uint64) []Clip {
		clips, err := Speak(t.Context(), voice, []string{"flite/slt", "flite/kal"}, 3, seed)
		if err != nil {
			t.Fatal(err)
		}
		return clips
	}
	clips := speak(1)
	for i, again := range speak(1) {
		if again.Text != clips[i].Text || len(again.PCM) != len(clips[i].PCM) {
			t.Errorf("%q and %q by the same seed", clips[i].Text, again.Text)
		}
	}
	if other := speak(2); other[0].Text == clips[0].Text && other[1].Text == clips[1].Text {
		t.Error("another seed says the same")
	}
	for _, c := range clips {
		if words := len(strings.Fields(c.Text)); c.Speech() < time.Duration(words)*120*time.Millisecond || c.Speech() > time.Duration(words)*time.Second {
			t.Errorf("%q takes %v", c.Text, c.Speech())
		}
	}
}

func TestFilesAndWhatIsSaidInThem(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	wav := codectest.WAV(t)
	a, b, c := write("a.wav", wav), write("b.wav", wav), write("c.wav", wav)
	write("a.txt", []byte("and so\n"))
	write("b.wav.txt", []byte("my fellow"))
	clips, err := Load([]string{a, b, c})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"and so", "my fellow", ""} {
		if clips[i].Text != want {
			t.Errorf("%s: %q, want %q", clips[i].Name, clips[i].Text, want)
		}
	}
	if d := clips[0].Speech(); d < 9*time.Second || d > 11*time.Second {
		t.Errorf("he speaks for %v", d)
	}
	if all, err := Load([]string{dir}); err != nil || len(all) != 3 || all[1].Text != "my fellow" {
		t.Errorf("the folder has %d recordings: %v", len(all), err)
	}
	for name, path := range map[string]string{
		"nowhere.wav": filepath.Join(dir, "nowhere.wav"),
		"text.wav":    write("text.wav", []byte("this is no sound at all, but text")),
		"short.wav":   write("short.wav", wav[:len(wav)/2]),
		"empty":       t.TempDir(),
	} {
		if _, err := Load([]string{path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
