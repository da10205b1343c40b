//go:build cgo

package whisper

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/codec"
	"parley/engine"
	"parley/engine/flite"
)

// utterance is speech whose words' times are known; End is 0 where it is not.
type utterance struct {
	audio []float32
	words []engine.Word
}

// trimmed cuts off what is 35 dB below the loudest 5 ms.
func trimmed(pcm []float32) []float32 {
	const step = codec.SpeechRate / 200
	var level []float64
	for at := 0; at+step <= len(pcm); at += step {
		sum := 0.0
		for _, x := range pcm[at : at+step] {
			sum += float64(x) * float64(x)
		}
		level = append(level, sum)
	}
	least := slices.Max(level) / 3000
	first := slices.IndexFunc(level, func(x float64) bool { return x > least })
	last := len(level)
	for level[last-1] <= least {
		last--
	}
	return pcm[first*step : last*step]
}

// apart says the words of a text one by one with pauses of 150 to 350 ms.
func apart(t *testing.T, r *rand.Rand, said map[string][]float32, voice, text string) utterance {
	t.Helper()
	pause := func() []float32 {
		p := make([]float32, codec.SpeechRate*(150+r.IntN(200))/1000)
		for i := range p {
			p[i] = float32(r.NormFloat64() / 10000)
		}
		return p
	}
	u := utterance{audio: pause()}
	for _, w := range strings.Fields(text) {
		pcm, ok := said[voice+w]
		if !ok {
			pcm = trimmed(speak(t, voice, w))
			said[voice+w] = pcm
		}
		from := codec.Duration(len(u.audio), codec.SpeechRate)
		u.audio = append(u.audio, pcm...)
		u.words = append(u.words, engine.Word{Text: w, Start: from, End: codec.Duration(len(u.audio), codec.SpeechRate)})
		u.audio = append(u.audio, pause()...)
	}
	return u
}

// fluent says a text in one breath; the synthesiser tells where words begin.
func fluent(t *testing.T, voice, text string) utterance {
	t.Helper()
	s, err := flite.Open(flite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var pcm []float32
	var u utterance
	rate := 0
	err = s.Speak(context.Background(), engine.Phrase{Text: text, Voice: "flite/" + voice, Speed: 1}, func(c engine.Chunk) error {
		pcm, rate = append(pcm, c.PCM...), c.Rate
		for _, m := range c.Marks {
			u.words = append(u.words, engine.Word{Text: string([]rune(text)[m.From:m.To]), Start: m.At + 200*time.Millisecond})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	u.audio = around(resample(pcm, float64(rate)))
	return u
}

// misses gathers how far words of a decode that were said begin and end from
// where they should.
type misses struct{ starts, ends []float64 }

func (m *misses) add(said, heard []engine.Word) {
	for i, j := range matched(said, heard) {
		if j < 0 {
			continue
		}
		m.starts = append(m.starts, math.Abs((heard[j].Start - said[i].Start).Seconds()))
		if said[i].End > 0 {
			m.ends = append(m.ends, math.Abs((heard[j].End - said[i].End).Seconds()))
		}
	}
}

func quantile(x []float64, q float64) time.Duration {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return time.Duration(x[int(q*float64(len(x)-1))] * float64(time.Second)).Round(time.Millisecond)
}

func (m *misses) String() string {
	return fmt.Sprintf("%d words, starts median %v p95 %v, ends median %v p95 %v",
		len(m.starts), quantile(m.starts, 0.5), quantile(m.starts, 0.95), quantile(m.ends, 0.5), quantile(m.ends, 0.95))
}

// matched gives for each word said the same word heard, in order, -1 for none.
func matched(said, heard []engine.Word) []int {
	n, m := len(said), len(heard)
	best := make([][]int, n+1)
	for i := range best {
		best[i] = make([]int, m+1)
	}
	same := func(i, j int) bool { return plain(said[i:i+1]) == plain(heard[j:j+1]) }
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if same(i, j) {
				best[i][j] = max(best[i][j], 1+best[i+1][j+1])
			}
		}
	}
	out := make([]int, n)
	for i, j := 0, 0; i < n; i++ {
		for out[i] = -1; j < m && best[i][j] == best[i][j+1] && best[i][j] > 0; j++ {
		}
		if j < m && same(i, j) && best[i][j] == 1+best[i+1][j+1] {
			out[i] = j
			j++
		}
	}
	return out
}

// TestWordTimes compares the times of words with where they were put, in speech
// with pauses between the words, whose texts are forced because the model has
// never heard them said so, and in fluent speech.
func TestWordTimes(t *testing.T) {
	t.Parallel()
	s := open(t, load(t))
	r := rand.New(rand.NewPCG(7, 8))
	said := make(map[string][]float32)
	sets := map[string][]utterance{}
	for i, text := range []string{"Seven three five nine", "One two three four five six", "Eight eight two", "Six four three seven one", "Nine two five one", "Three six"} {
		sets["apart"] = append(sets["apart"], apart(t, r, said, []string{"slt", "espeak", "rms"}[i%3], text))
	}
	for i, text := range domain[:10] {
		sets["fluent"] = append(sets["fluent"], fluent(t, []string{"slt", "rms"}[i%2], text))
	}
	most := map[string][2]time.Duration{ // median and p95
		"apart":  {40 * time.Millisecond, 150 * time.Millisecond},
		"fluent": {120 * time.Millisecond, 400 * time.Millisecond},
	}
	for name, set := range sets {
		var finals, partials misses
		words := 0
		for _, u := range set {
			words += len(u.words)
			var p engine.Prefix
			if name == "apart" {
				p = u.words
			}
			finals.add(u.words, final(t, s, u.audio, p).Words)
			h, err := s.Partial(context.Background(), engine.Window{Audio: u.audio}, p)
			if err != nil {
				t.Fatal(err)
			}
			checkWords(t, h.Words, codec.Duration(len(u.audio), codec.SpeechRate))
			partials.add(u.words, h.Words)
		}
		for kind, m := range map[string]*misses{"finals": &finals, "partials": &partials} {
			t.Logf("%s, %s: of %d words %v", name, kind, words, m)
			for _, x := range [][]float64{m.starts, m.ends} {
				if quantile(x, 0.5) > most[name][0] || quantile(x, 0.95) > most[name][1] {
					t.Errorf("%s, %s: more than %v", name, kind, most[name])
				}
			}
			if len(m.starts) < words*3/4 {
				t.Errorf("%s, %s: only %d words of %d", name, kind, len(m.starts), words)
			}
		}
	}
}
