package speech

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestNormalizeEnglish(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"Hello, world!", "Hello, world!"},
		// numbers
		{"0 1 10 21 100 101 999", "zero one ten twenty one one hundred one hundred one nine hundred ninety nine"},
		{"1,234 and 1,234,567.", "one thousand two hundred thirty four and one million two hundred thirty four thousand five hundred sixty seven."},
		{"3.14, 0.5 and .5", "three point one four, zero point five and zero point five"},
		{"-5 +7 −3", "minus five plus seven minus three"},
		{"agent 007", "agent zero zero seven"},
		{"12345678901234567890", "one two three four five six seven eight nine zero one two three four five six seven eight nine zero"},
		{"version 1.2.3 at 192.168.0.1", "version one point two point three at one hundred ninety two dot one hundred sixty eight dot zero dot one"},
		{"1,2,3", "one, two, three"},
		{"x86 MP3 3D B2B COVID-19", "x86 MP3 three D B2B COVID-nineteen"},
		{"#5 and No. 5, not no. Then", "number five and number five, not no. Then"},
		{"10-20 people, 5–7 days", "ten to twenty people, five to seven days"},
		{"1/2 3/4 2/3 24/7 9/11 ½", "one half three quarters two thirds twenty four seven nine slash eleven one half"},
		// ordinals and years
		{"1st 2nd 3rd 4th 12th 20th 21st 100th", "first second third fourth twelfth twentieth twenty first one hundredth"},
		{"in 1984, 2000, 2005, 1900, 1906 and 2026", "in nineteen eighty four, two thousand, two thousand five, nineteen hundred, nineteen oh six and twenty twenty six"},
		{"the 1990s, 90s and 2000s", "the nineteen nineties, nineties and two thousands"},
		// money
		{"$12.50", "twelve dollars and fifty cents"},
		{"$1, $1.01 and $0.99", "one dollar, one dollar and one cent and ninety nine cents"},
		{"$1,234.00", "one thousand two hundred thirty four dollars"},
		{"$1.5M, $2 billion, €3bn", "one point five million dollars, two billion dollars, three billion euros"},
		{"£3.20 ¥500 5€ 12.50 EUR -$5", "three pounds and twenty pence five hundred yen five euros twelve euros and fifty cents minus five dollars"},
		{"$5.", "five dollars."},
		// percentages, units
		{"50% 3.5 % 1%", "fifty percent three point five percent one percent"},
		{"5 km, 1 m, 80 km/h, 16kHz", "five kilometers, one meter, eighty kilometers per hour, sixteen kilohertz"},
		{"20°C 1°F 45°", "twenty degrees Celsius one degree Fahrenheit forty five degrees"},
		{"5 minutes 3 miles 4 gloves", "five minutes three miles four gloves"},
		// times
		{"10:30", "ten thirty"},
		{"10:05 and 9:00", "ten oh five and nine o'clock"},
		{"at 10:30 a.m. or 7 PM", "at ten thirty a.m. or seven p.m."},
		{"10am", "ten a.m."},
		{"12:30:01", "twelve thirty and one second"},
		{"2:1 25:00 10:99", "two: one twenty five: zero zero ten: ninety nine"},
		// dates
		{"2026-11-21", "November twenty first, twenty twenty six"},
		{"11/21/2026 or 21/11/2026", "November twenty first, twenty twenty six or November twenty first, twenty twenty six"},
		{"Nov. 21, 2026", "November twenty first, twenty twenty six"},
		{"May 5 and March 3rd", "May fifth and March third"},
		{"2026-13-45", "twenty twenty six-thirteen-forty five"},
		// abbreviations
		{"Dr. Smith", "Doctor Smith"},
		{"12 Main Dr. and 5 Elm Dr.", "twelve Main Drive and five Elm Drive."},
		{"St. John on 3rd St. at noon", "Saint John on third Street at noon"},
		{"Mr. and Mrs. Jones vs. Prof. Lee", "Mister and Missus Jones versus Professor Lee"},
		{"e.g. this, i.e. that, etc.", "for example this, that is that, et cetera."},
		{"Acme Inc. of Fifth Ave. Ok.", "Acme Incorporated of Fifth Avenue Ok."},
		{"Mr Bean, Dr No", "Mister Bean, Doctor No"},
		{"He gave a gen. idea. She ate a fig.", "He gave a gen. idea. She ate a fig."},
		{"the U.S. army on AM radio", "the U.S. army on A M radio"},
		// addresses
		{"see https://www.example.com/a-b?x=1#y.", "see www dot example dot com slash a dash b."},
		{"mail joe.doe@example.com!", "mail joe dot doe at example dot com!"},
		{"go to example.org/docs now", "go to example dot org slash docs now"},
		{"call 555-1234 or (555) 123-4567", "call five five five, one two three four or five five five, one two three, four five six seven"},
		// signs
		{"rock & roll, AT&T", "rock and roll, AT and T"},
		{"1 + 2 = 3", "one plus two equals three"},
		{"3 < 4 > 2, 5*3", "three less than four greater than two, five times three"},
		{"TCP/IP and/or", "TCP IP and or"},
		{"~5 snake_case 10²", "about five snake case ten squared"},
		// markup
		{"**bold** _it_ `code` ~~no~~", "bold it code no"},
		{"# Title\n- one\n* two\n> three", "Title\none\ntwo\nthree"},
		{"[laugh] Oh [clear throat]well *sighs*", " Oh well "},
		{"[this page](https://example.com) is good [1]", "this page is good one"},
		{`<speak><break time="988s"/>Hi</speak> <b>you</b> &amp; me`, "Hi you  me"},
		{"Hi 😀👍🏽! ™", "Hi ! "},
		{"a\x00b\x07c", "a b c"},
		{"\xff", ""},
	}
	for _, tt := range tests {
		if got := Normalize(tt.in, "en-US").Text; got != tt.want {
			t.Errorf("Normalize(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestNormalizeOtherLanguages(t *testing.T) {
	tests := []struct{ in, lang, want string }{
		{"Am 3.5.2026 um 10:30 kostet es 12,50 €.", "de", "Am 3.5.2026 um 10:30 kostet es 12,50 €."},
		{"**fett** [laugh] https://beispiel.de 😀 <b>x</b>", "de", "fett  beispiel.de  x"},
		{"你好，3，000元。", "zh", "你好，3，000元。"},
		{"نمی\u200cخواهم", "fa", "نمی\u200cخواهم"}, // a joiner between letters stays
		{"11/12/2026", "en-GB", "December eleventh, twenty twenty six"},
		{"11/12/2026", "en", "November twelfth, twenty twenty six"},
		{"5 %", "not a language", "5 %"},
	}
	for _, tt := range tests {
		if got := Normalize(tt.in, tt.lang).Text; got != tt.want {
			t.Errorf("Normalize(%q, %s)\n got %q\nwant %q", tt.in, tt.lang, got, tt.want)
		}
	}
}

func TestSource(t *testing.T) {
	const in = "Dr. Li paid $12.50 – **ok**?"
	spoken := Normalize(in, "en-US")
	var got []string
	for _, word := range strings.Fields(spoken.Text) {
		i := utf8.RuneCountInString(spoken.Text[:strings.Index(spoken.Text, word)])
		from, to := spoken.Source(i, i+utf8.RuneCountInString(word))
		got = append(got, word+"="+string([]rune(in)[from:to]))
	}
	want := []string{"Doctor=Dr.", "Li=Li", "paid=paid", "twelve=$12.50", "dollars=$12.50", "and=$12.50", "fifty=$12.50", "cents=$12.50", "–=–", "ok?=ok**?"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCardinal(t *testing.T) {
	tests := map[uint64]string{
		1_000_000: "one million", 1_000_001: "one million one", 20_020: "twenty thousand twenty",
		999_999_999_999_999: "nine hundred ninety nine trillion nine hundred ninety nine billion nine hundred ninety nine million nine hundred ninety nine thousand nine hundred ninety nine",
		1<<64 - 1:           "eighteen quintillion four hundred forty six quadrillion seven hundred forty four trillion seventy three billion seven hundred nine million five hundred fifty one thousand six hundred fifteen",
	}
	for n, want := range tests {
		if got := cardinal(n); got != want {
			t.Errorf("cardinal(%d) = %q, want %q", n, got, want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, text := range []string{
		"Dr. Smith paid $12.50 at 10:30 a.m. on 2026-11-21, see https://a.b/c_d?e", "[laugh] **b** [x](y) <a href='b'>c</a> &amp;",
		"1/2 3-4 5% 6°C 7km #8 (555) 123-4567", "你好 ₹5 £1.00bn -$.5", "\xff\x00\u200d", "99th 90s 1,2,3.4.5", strings.Repeat("1", 500), "[sigh)*laugh]",
	} {
		f.Add(text, "en-US")
		f.Add(text, "de")
	}
	f.Fuzz(func(t *testing.T, text, lang string) {
		spoken := Normalize(text, lang)
		in, out := utf8.RuneCountInString(text), utf8.RuneCountInString(spoken.Text)
		if out > 16*in {
			t.Fatalf("%d runes become %d", in, out)
		}
		last := 0
		for i := range out {
			from, to := spoken.Source(i, i+1)
			if from < last || to <= from || to > in {
				t.Fatalf("rune %d of %q comes from %d..%d of %d, the one before from %d", i, spoken.Text, from, to, in, last)
			}
			last = from
		}
		for _, r := range spoken.Text {
			if r < ' ' && r != '\n' && r != '\t' && r != '\r' && r != '\v' && r != '\f' {
				t.Fatalf("control character %q is to be spoken", r)
			}
		}
	})
}
