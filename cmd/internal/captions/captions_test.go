package captions

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func words(text string, from, each time.Duration) (list []engine.Word) {
	for i, w := range strings.Fields(text) {
		at := from + time.Duration(i)*each
		list = append(list, engine.Word{Text: w, Start: at, End: at + each, P: 0.5})
	}
	return list
}

func example() Transcript {
	const long = "one two three four five six seven eight nine ten"
	return Transcript{
		File: "a.wav", Model: "tiny", Language: "en", Duration: 80 * time.Second,
		Segments: []Segment{
			{Text: "Hello, <b> & --> you.", Start: 1500 * time.Millisecond, End: 2 * time.Second, Confidence: 0.9, Revised: true},
			{Text: long, Start: time.Minute, End: 70 * time.Second, Words: words(long, time.Minute, time.Second)},
		},
	}
}

func TestFormats(t *testing.T) {
	for f, want := range map[Format]string{
		Text: "Hello, <b> & --> you.\none two three four five six seven eight nine ten\n",
		SRT: "1\n00:00:01,500 --> 00:00:02,000\nHello, <b> & → you.\n\n" +
			"2\n00:01:00,000 --> 00:01:07,000\none two three four five six seven\n\n" +
			"3\n00:01:07,000 --> 00:01:10,000\neight nine ten\n\n",
		VTT: "WEBVTT\n\n00:00:01.500 --> 00:00:02.000\nHello, &lt;b&gt; &amp; --&gt; you.\n\n" +
			"00:01:00.000 --> 00:01:07.000\none two three four five six seven\n\n" +
			"00:01:07.000 --> 00:01:10.000\neight nine ten\n\n",
	} {
		var b strings.Builder
		if err := example().Write(&b, f); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s: %s", f, d)
		}
	}
	if err := example().Write(&strings.Builder{}, "doc"); err == nil {
		t.Error("an unknown format was written")
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	if err := example().Write(&b, JSON); err != nil {
		t.Fatal(err)
	}
	var got wireTranscript
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.DurationMS != 80000 || len(got.Segments) != 2 || len(got.Segments[1].Words) != 10 || got.Segments[1].Words[9].EndMS != 70000 ||
		!got.Segments[0].Revised || strings.Count(b.String(), "revised") != 1 {
		t.Errorf("%+v", got)
	}
	b.Reset()
	if err := (Transcript{}).Write(&b, JSON); err != nil || !strings.Contains(b.String(), `"segments":[]`) {
		t.Errorf("a silent file: %s, %v", b.String(), err)
	}
}

func TestCuesCanBeRead(t *testing.T) {
	text := strings.Repeat("conversation ", 30)
	s := Segment{Text: text, End: 6 * time.Second, Words: words(text, 0, 200*time.Millisecond)}
	var back []string
	for _, c := range split(s) {
		if len(c.Text) > maxCueRunes || c.End-c.Start > maxCue || c.End <= c.Start {
			t.Errorf("cue %q lasts %v", c.Text, c.End-c.Start)
		}
		back = append(back, c.Text)
	}
	if strings.Join(back, " ") != strings.TrimSpace(text) {
		t.Error("words were lost or changed")
	}
}
