package speech

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func texts(clauses []Clause) []string {
	var out []string
	for _, c := range clauses {
		out = append(out, c.Text)
	}
	return out
}

func split(text string) []Clause {
	var s Splitter
	return append(s.Push(text), s.Flush()...)
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string // joined they are in
	}{
		{"empty", "", nil},
		{"one word", "Hello", []string{"Hello"}},
		{"first clause early", "Well, that is good, and more of it follows, I think. Yes.",
			[]string{"Well, that is good, ", "and more of it follows, I think. ", "Yes."}},
		{"short sentences go together", "Yes. No. Maybe so. Then we go home now.", []string{"Yes. No. Maybe so. ", "Then we go home now."}},
		{"numbers", "It costs 1,234.5 or 3.14 at 12:30 today. Good.", []string{"It costs 1,234.5 or 3.14 at 12:30 today. ", "Good."}},
		{"titles", "Please ask Dr. Smith and Mrs. Jones. They know it.", []string{"Please ask Dr. Smith and Mrs. Jones. ", "They know it."}},
		{"abbreviations", "Fruit e.g. Apples or pears etc. is sold. The U.S. President and J. R. Tolkien came.",
			[]string{"Fruit e.g. Apples or pears etc. is sold. ", "The U.S. President and J. R. Tolkien came."}},
		{"abbreviation at the end", "We sell apples, pears, nuts etc. The shop is open.", []string{"We sell apples, ", "pears, nuts etc. ", "The shop is open."}},
		{"number sign", "My answer is No. I really mean it. See No. 5 there.", []string{"My answer is No. ", "I really mean it. ", "See No. 5 there."}},
		{"addresses", "Write to joe.doe@example.com. Or see https://example.com/a.b,c?d=1. Bye.",
			[]string{"Write to joe.doe@example.com. ", "Or see https://example.com/a.b,c?d=1. ", "Bye."}},
		{"ellipsis", "I was thinking... perhaps not... Or was I? Who knows.", []string{"I was thinking... ", "perhaps not... Or was I? ", "Who knows."}},
		{"quotes", `He said "Stop right there!" and left. "Why?" she asked.`, []string{`He said "Stop right there!" `, "and left. \"Why?\" she asked."}},
		{"brackets", "The colours (red, green, blue and so on) are fine, all of them. Ok.", []string{"The colours (red, green, blue and so on) are fine, ", "all of them. ", "Ok."}},
		{"dashes", "We went home early — it rained - and slept until the next morning came.",
			[]string{"We went home early —", " it rained - and slept until the next morning came."}},
		{"lines", "Milk\nEggs\n\n- Bread\n", []string{"Milk\n", "Eggs\n", "\n- Bread\n"}},
		{"list numbers", "1. Milk is here. 2. Eggs are there.", []string{"1. Milk is here. ", "2. Eggs are there."}},
		{"chinese", "你好，今天天气很好，我们去公园吧。价格是3，000元。好！「走吧。」他说。",
			[]string{"你好，今天天气很好，", "我们去公园吧。", "价格是3，000元。", "好！「走吧。」他说。"}},
		{"thai", "สวัสดีครับวันนี้อากาศดี ไปเที่ยวกันไหม", []string{"สวัสดีครับวันนี้อากาศดี ", "ไปเที่ยวกันไหม"}},
		{"hindi", "आज मौसम अच्छा है। चलो बाहर चलते हैं।", []string{"आज मौसम अच्छा है। ", "चलो बाहर चलते हैं।"}},
		{"exclamation in a name", "The company Yahoo! is old by now. True.", []string{"The company Yahoo! ", "is old by now. ", "True."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(split(tt.in))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLongTextIsCut(t *testing.T) {
	for name, text := range map[string]string{
		"one word":      strings.Repeat("a", 100_000),
		"words":         strings.Repeat("word ", 5_000),
		"clauses":       strings.Repeat("some words, ", 2_000),
		"blanks":        strings.Repeat(" ", 10_000),
		"full stops":    strings.Repeat(".", 10_000),
		"open brackets": strings.Repeat("(", 10_000),
		"marks":         strings.Repeat("a\u0301\u0302", 5_000),
		"ideographs":    strings.Repeat("字", 5_000),
		"after No.":     "No." + strings.Repeat(" ", 1_000),
	} {
		var s Splitter
		var all strings.Builder
		for _, c := range append(s.Push(text), s.Flush()...) {
			if n := utf8.RuneCountInString(c.Text); n > 2*(maxClause+maxRun) {
				t.Errorf("%s: a clause of %d runes", name, n)
			}
			all.WriteString(c.Text)
		}
		if all.String() != text {
			t.Errorf("%s: text is lost", name)
		}
	}
}

func TestPendingIsBounded(t *testing.T) {
	var s Splitter
	for range 2000 {
		s.Push(" . a,")
		if n := utf8.RuneCountInString(s.Pending()); n > 2*(maxClause+maxRun) {
			t.Fatalf("%d runes pending", n)
		}
	}
}

func TestClausesComeWithTheirLookAhead(t *testing.T) {
	var s Splitter
	steps := []struct {
		push string
		want []string
	}{
		{"Good morning", nil}, {",", nil}, {" ", []string{"Good morning, "}},
		{"it is nine.", nil}, {" ", nil}, {"N", []string{"it is nine. "}}, {"ow", nil},
	}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, texts(s.Push(step.push))); diff != "" {
			t.Errorf("Push(%q) (-want +got):\n%s", step.push, diff)
		}
	}
	if s.Pending() != "Now" {
		t.Errorf("pending %q", s.Pending())
	}
}

func TestFlushSoft(t *testing.T) {
	tests := []struct{ in, want, pending string }{
		{"", "", ""},
		{"Hel", "", "Hel"},
		{"Hello wor", "Hello ", "wor"},
		{"Hello there.", "Hello there.", ""},
		{`"Hello there."`, `"Hello there."`, ""},
		{"It costs 3.", "It costs ", "3."},
		{"Ask Dr.", "Ask ", "Dr."},
		{"Ask Dr. Smi", "Ask ", "Dr. Smi"},
		{"Ha [clear thr", "Ha ", "[clear thr"},
		{"   ", "", "   "},
		{"例え", "", "例え"},
	}
	for _, tt := range tests {
		var s Splitter
		s.Push(tt.in)
		got := strings.Join(texts(s.FlushSoft()), "")
		if got != tt.want || s.Pending() != tt.pending {
			t.Errorf("FlushSoft of %q = %q, pending %q; want %q, %q", tt.in, got, s.Pending(), tt.want, tt.pending)
		}
	}
}

// pieces cuts text at random.
func pieces(text string, r *rand.Rand) []string {
	var out []string
	for rest := []rune(text); len(rest) > 0; {
		n := min(1+r.IntN(6), len(rest))
		out, rest = append(out, string(rest[:n])), rest[n:]
	}
	return out
}

func checkSplit(t *testing.T, text string, seed uint64) {
	t.Helper()
	text = string([]rune(text))
	want := split(text)
	at := 0
	for _, c := range want {
		if c.From != at || c.To != at+utf8.RuneCountInString(c.Text) || c.Text == "" {
			t.Fatalf("clause %+v begins at %d", c, at)
		}
		at = c.To
	}
	if got := strings.Join(texts(want), ""); got != text {
		t.Fatalf("clauses join to %q, not %q", got, text)
	}
	var s Splitter
	var got []Clause
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range pieces(text, r) {
		got = append(got, s.Push(p)...)
	}
	got = append(got, s.Flush()...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("in pieces %q splits otherwise (-want +got):\n%s", text, diff)
	}
	s = Splitter{}
	var soft strings.Builder
	for _, p := range pieces(text, r) {
		for _, c := range append(s.Push(p), s.FlushSoft()...) {
			soft.WriteString(c.Text)
		}
	}
	for _, c := range s.Flush() {
		soft.WriteString(c.Text)
	}
	if soft.String() != text {
		t.Fatalf("with soft flushes clauses join to %q, not %q", soft.String(), text)
	}
}

func FuzzSplitter(f *testing.F) {
	for _, text := range []string{
		"Dr. Smith paid $12.50 at 10:30 a.m. in the U.S. The end... or not? (a, b)", "你好，世界。「走吧。」他说", "No.          5",
		"a\n\nb. c! d? e; f: g — h - i", strings.Repeat("x, ", 100), "\xff\xfe", "ไทย ไทย", "[laugh] **b**", strings.Repeat(".", 40) + " A",
	} {
		f.Add(text, uint64(1))
	}
	f.Fuzz(checkSplit)
}
