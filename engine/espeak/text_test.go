package espeak

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func TestClean(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"Grüße, 世界!", "Grüße, 世界!"},
		{"a\x00b\x01\x7f\u0085c", "ab c"},
		{"[[h@loU]]", "  h@loU  "},
		{"x\ny\u2028z", "x y z"},
		{"ok\xffgo\ufffd", "ok go\ufffd"},
		{"\ue000private", "private"},
	}
	for _, tt := range tests {
		if got := string(clean(tt.in).text); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestPieces(t *testing.T) {
	sentence := strings.Repeat("word ", 30) + "end. "
	tests := []struct {
		name, in string
		want     []int
	}{
		{"nothing", " .,; ", nil},
		{"short", "Hi.", []int{3}},
		{"sentences", sentence + sentence, []int{154, 156}},
		{"clauses", strings.Repeat("word ", 30) + "end, " + strings.Repeat("word ", 40), []int{154, 201}},
		{"words", strings.Repeat("word ", 100), []int{299, 201}},
		{"one word", strings.Repeat("x", 700), []int{300, 300, 100}},
		{"no blanks", strings.Repeat("字", 200) + "。" + strings.Repeat("字", 200), []int{201, 200}},
	}
	for _, tt := range tests {
		var got []int
		for _, p := range clean(tt.in).pieces() {
			got = append(got, len(p.text))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestWords(t *testing.T) {
	tests := []struct {
		in   string
		want []string // "|" where a clause ends
	}{
		{"Hello, world!", []string{"Hello", "|", "world", "|"}},
		{"don't at 10:30, e-mail (now)", []string{"don't", "at", "10:30", "|", "e-mail", "now"}},
		{"你好，世界", []string{"你", "好", "|", "世", "界"}},
		{"a.b.c", []string{"a.b.c"}},
		{"…", nil},
	}
	for _, tt := range tests {
		p := clean(tt.in)
		var got []string
		for _, w := range p.words() {
			got = append(got, string(p.text[w.from:w.to]))
			if w.pause {
				got = append(got, "|")
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("words(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

// tone is samples that sound for the given times with silence between them.
func tone(ms ...int) []int16 {
	var out []int16
	for i, n := range ms {
		for range n * Rate / 1000 {
			out = append(out, int16(1000*(i%2)))
		}
	}
	return out
}

func TestMarks(t *testing.T) {
	ms := func(from, to, at int) engine.Mark {
		return engine.Mark{From: from, To: to, At: time.Duration(at) * time.Millisecond}
	}
	tests := []struct {
		name, text string
		samples    []int16
		want       []engine.Mark
	}{
		{"pauses match", "aa bb, cc", tone(100, 600, 200, 300, 300), []engine.Mark{ms(0, 2, 100), ms(3, 5, 400), ms(7, 9, 900)}},
		{"pauses do not match", "aa bb cc", tone(100, 600, 200, 300), []engine.Mark{ms(0, 2, 100), ms(3, 5, 467), ms(6, 8, 833)}},
		{"a closure is no pause", "aa bb, cc", tone(100, 300, 100, 300, 300, 300), []engine.Mark{ms(0, 2, 100), ms(3, 5, 450), ms(7, 9, 1100)}},
		{"too few pauses", "aa, bb", tone(100, 600), []engine.Mark{ms(0, 2, 100), ms(4, 6, 400)}},
		{"digits take longer", "ab 12", tone(100, 1200), []engine.Mark{ms(0, 2, 100), ms(3, 5, 400)}},
		{"silence", "a", tone(100), nil},
		{"nothing", "a", nil, nil},
	}
	for _, tt := range tests {
		got := clean(tt.text).marks(tt.samples)
		for i := range got {
			got[i].At = got[i].At.Round(time.Millisecond)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParseVoices(t *testing.T) {
	const list = `Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  de              --/M      German             gmw/de
 5  yue             --/M      Chinese_(Cantonese) sit/yue              (zh-yue 5)(zh 8)
 5  yue             --/M      Second             sit/other
 5  chr-US-Qaaa-x-west --/M      Cherokee_          iro/chr
 5  ../etc          --/M      Path               x
 5  --help          --/M      Option             x
 broken
`
	want := []engine.Voice{
		{ID: "espeak/de", Name: "German (espeak)", Language: "de", Rate: Rate},
		{ID: "espeak/yue", Name: "Chinese (Cantonese) (espeak)", Language: "yue", Rate: Rate},
		{ID: "espeak/chr-US-Qaaa-x-west", Name: "Cherokee (espeak)", Language: "chr-US-x-west", Rate: Rate},
	}
	if diff := cmp.Diff(want, parseVoices([]byte(list))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzPieces(f *testing.F) {
	for _, s := range []string{"", "Hello, world. 12:30", "你好。", "\xff\x00[[x]]", strings.Repeat("a ", 400), "a\u0301.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		runes, last := utf8.RuneCountInString(s), -1
		for _, p := range clean(s).pieces() {
			if len(p.text) > maxPiece || strings.ContainsAny(string(p.text), "\x00\x01[]") {
				t.Fatalf("piece %q", string(p.text))
			}
			for _, m := range p.marks(tone(50, 500, 100, 300)) {
				if m.From < last || m.To <= m.From || m.To > runes {
					t.Fatalf("mark %+v after %d of %d runes", m, last, runes)
				}
				last = m.To
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("RIFF"))
	f.Fuzz(func(t *testing.T, wav []byte) {
		if samples, err := parse(wav); err == nil && len(samples) > len(wav)/2 {
			t.Fatalf("%d samples of %d bytes", len(samples), len(wav))
		}
	})
}
