package flite

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSimplify(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"Hello, world!", "Hello, world!"},
		{"a\x00b\x01c\x7f\x1b[0m", "abc[0m"},
		{"line\nbreak\ttab\u00a0nbsp", "line break tab nbsp"},
		{"café naïve Łódź Straße", "cafe naive Lodz Strasse"},
		{"“quote” — it’s…", `"quote" ,  it's...`},
		{"ok \xff\xfe\xc3 go", "ok  go"},
		{"日本語 test 🎉", " test "},
		{"ﬁne ½", "fine 12"},
		{"z\u0300\u0301\u0302algo", "zalgo"},
	}
	for _, tt := range tests {
		if got := simplify(tt.in).text; got != tt.want {
			t.Errorf("simplify(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestPiecesCoverTheText(t *testing.T) {
	tests := []struct {
		in     string
		pieces int
	}{
		{"", 0},
		{" ... !? ", 0},
		{"one", 1},
		{strings.Repeat("x", maxPiece), 1},
		{strings.Repeat("x", 3*maxPiece+1), 4},
		{strings.Repeat("word ", 200), 4},
	}
	for _, tt := range tests {
		var b strings.Builder
		pieces := simplify(tt.in).pieces()
		for _, p := range pieces {
			if len(p.text) > maxPiece || len(p.source) != len(p.text) {
				t.Errorf("%.20q: piece of %d bytes, %d sources", tt.in, len(p.text), len(p.source))
			}
			b.WriteString(p.text)
		}
		if len(pieces) != tt.pieces {
			t.Errorf("%.20q: %d pieces, want %d", tt.in, len(pieces), tt.pieces)
		}
		if tt.pieces > 0 && b.String() != tt.in {
			t.Errorf("%.20q: pieces join to %.40q", tt.in, b.String())
		}
	}
}

func FuzzSimplify(f *testing.F) {
	for _, s := range []string{"", "Hello. 12:30", "é\u0300", "\xff\x00", "日本", strings.Repeat("a ", 400)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		last := -1
		for _, p := range simplify(s).pieces() {
			for i := range p.text {
				if c := p.text[i]; c < ' ' || c > '~' {
					t.Fatalf("byte %#x reaches the library", c)
				}
				if p.source[i] < last || p.source[i] >= utf8.RuneCountInString(s) {
					t.Fatalf("source %d after %d of %d runes", p.source[i], last, utf8.RuneCountInString(s))
				}
				last = p.source[i]
			}
		}
	})
}
