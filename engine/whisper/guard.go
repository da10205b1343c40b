package whisper

import (
	"strings"
	"time"
	"unicode"

	"parley/engine"
)

// guard makes words of tokens, or none where they are what a decoder makes up:
// descriptions of noise, loops, more than can be said, text it does not believe
// in itself, or the phrases that it says where next to nothing was said.
//
// Times of partials, and those of the library that go on after the window, are
// made from the sound: the library spreads words over 30 s where the decoder
// does not say when they ended.
func guard(tokens []token, length time.Duration, level sound, final bool) []engine.Word {
	belief, n := belief(tokens)
	thin := level.voiced < 0.12
	if n == 0 || len(tokens) > maxTokens(length) || belief < -1 || thin && belief < -0.5 {
		return nil
	}
	heard := dropNoise(words(tokens, length))
	if !final || tokens[len(tokens)-1].end > length+500*time.Millisecond {
		level.spread(heard)
		clamp(heard, length)
	}
	heard = cutLoop(heard)
	if thin || length < 1500*time.Millisecond && engine.Confidence(heard) < 0.6 {
		if stock[plain(heard)] {
			return nil
		}
	}
	return heard
}

// maxTokens is more than anybody says: 20 a second.
func maxTokens(length time.Duration) int {
	return min(int(length.Seconds()*20), 180) + 16
}

// belief is the mean log probability of the n tokens that are no punctuation.
func belief(tokens []token) (mean float64, n int) {
	for _, t := range tokens {
		if t.spoken() {
			mean += float64(t.logp)
			n++
		}
	}
	return mean / float64(max(n, 1)), n
}

// dropNoise takes out what describes sound instead of speech: "[BLANK_AUDIO]",
// "(music)", "*sigh*", notes.
func dropNoise(words []engine.Word) []engine.Word {
	var out []engine.Word
	for i := 0; i < len(words); i++ {
		if end := bracketed(words[i:]); end > 0 {
			i += end - 1
			continue
		}
		if strings.ContainsFunc(words[i].Text, wordRune) || strings.ContainsFunc(words[i].Text, unicode.IsSymbol) && !strings.ContainsAny(words[i].Text, "♪♫♬♩") {
			out = append(out, words[i])
		}
	}
	return out
}

// bracketed counts the words from the first on that one pair of brackets holds.
func bracketed(words []engine.Word) int {
	for open, end := range map[string]string{"[": "]", "(": ")", "*": "*", "♪": "♪", "（": "）", "【": "】"} {
		if !strings.HasPrefix(words[0].Text, open) {
			continue
		}
		for i, w := range words {
			text := w.Text
			if i == 0 {
				text = strings.TrimPrefix(text, open)
			}
			if strings.HasSuffix(strings.TrimRight(text, ".,!?"), end) {
				return i + 1
			}
		}
	}
	return 0
}

// cutLoop leaves one of each run of repetitions that no mouth makes: at least
// three of one to eight words, faster than speech or not believed in. A single
// word may be said often: "no no no", "nine nine nine".
func cutLoop(words []engine.Word) []engine.Word {
	out := words
	for n := 1; n <= 8; n++ {
		for i := 0; i+3*n <= len(out); i++ {
			k := repeats(out[i:], n)
			if k < 3 || plausible(out[i:i+k*n], n, k) {
				continue
			}
			out = append(append([]engine.Word(nil), out[:i+n]...), out[i+k*n:]...)
		}
	}
	if len(out)*3 <= len(words) { // it was nothing but loops
		return nil
	}
	return out
}

func plausible(run []engine.Word, n, k int) bool {
	took := run[len(run)-1].End - run[0].Start
	return n*k <= 12 && engine.Confidence(run) >= 0.5 && took >= time.Duration(n*k)*120*time.Millisecond
}

// repeats counts how often the first n words follow each other.
func repeats(words []engine.Word, n int) int {
	k := 1
	for (k+1)*n <= len(words) {
		for j := range n {
			if plain(words[j:j+1]) != plain(words[k*n+j:k*n+j+1]) {
				return k
			}
		}
		k++
	}
	return k
}

// stock is what models trained on subtitles say to silence.
var stock = map[string]bool{
	"you": true, "thank you": true, "thanks": true, "thanks for watching": true, "thank you for watching": true,
	"thank you very much": true, "bye": true, "bye bye": true, "please subscribe": true, "so": true, "oh": true,
	"untertitel der amaraorgcommunity": true, "untertitel im auftrag des zdf für funk 2017": true, "vielen dank": true,
	"soustitres réalisés par la communauté damaraorg": true, "sottotitoli creati dalla comunità amaraorg": true,
	"ご視聴ありがとうございました": true, "字幕由amaraorg社区提供": true, "시청해주셔서 감사합니다": true, "продолжение следует": true,
	"the end": true, "subtitles by the amaraorg community": true, "okay": true, "hmm": true, "mm": true, "uh": true,
}

// plain is a text in small letters without punctuation.
func plain(words []engine.Word) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if wordRune(r) || r == ' ' {
			return r
		}
		return -1
	}, engine.Text(words)))
}

// isNote says whether a token is only signs that describe sound instead of
// speech, as OpenAI's decoder does not let them come: brackets, notes, rules.
func isNote(text string) bool {
	bare := strings.TrimPrefix(text, " ")
	if text == " -" || text == " '" {
		return true
	}
	return bare != "" && strings.Trim(bare, "\"#()*+/:;<=>@[\\]^_`{|}~「」『』♩♪♫♬♭♮♯") == ""
}
