package whisper

import (
	"math"
	"slices"
	"time"

	"parley/codec"
	"parley/engine"
)

// What it costs to lay words on sound, in frames of 20 ms. The figures are from a
// random search over sentences of synthetic voices and strings of recorded digits
// whose borders are known; half or twice as much changes little.
const (
	quietCost  = 0.8 // of a frame of silence inside a word
	loudCost   = 2.0 // of a frame of sound outside of all words
	pauseCost  = 1.0 // of a pause
	borderCost = 3.0 // of a border between words in full sound
	evenCost   = 3.0 // of a length e times or 1/e of that expected from the text
)

const (
	longestWord  = 75      // frames
	shortestWord = 2       // frames
	mostPlaced   = 3000    // frames that a word may begin in whatever its time was before
	reach        = 250     // frames from that time in longer windows
	mostCells    = 4 << 20 // words times frames
)

// spread gives words their times from the sound: the borders of least cost, or
// where there is not enough sound for that many words their share of it.
func (s sound) spread(words []engine.Word) {
	if len(words) == 0 || s.place(words) {
		return
	}
	s.share(words)
	lengthen(words)
	if slices.ContainsFunc(words, func(w engine.Word) bool { return w.End <= w.Start }) {
		words[0].Start, words[len(words)-1].End = 0, codec.Duration(len(s.levels)*frame, codec.SpeechRate)
		share(words)
	}
}

// place finds the times of words by dynamic programming: words cover sound and
// pauses silence, borders lie in valleys of the loudness, and words are about as
// long as their texts let expect. It knows nothing of phones: where speech flows
// the texts' lengths decide, which is no worse than sharing the time by them.
func (s sound) place(words []engine.Word) bool {
	n, frames := len(words), len(s.levels)
	if len(s.frames) == 0 || frames < 2*shortestWord*n || n*frames > mostCells {
		return false
	}
	c := newCourse(s.loudness())
	total := 0
	for _, w := range words {
		total += weight(w)
	}
	each := c.sums[frames] / float64(total)
	for _, w := range words {
		first, last := 0, frames
		if frames > mostPlaced {
			at := codec.Samples(w.Start, codec.SpeechRate) / frame
			first, last = max(0, at-reach), min(frames, at+reach)
		}
		c.word(first, last, max(shortestWord, each*float64(weight(w))))
	}
	return c.trace(words)
}

// course is the cheapest way to have said the words so far.
type course struct {
	on    []float64 // loudness of frames, 0 to 1
	sums  []float64 // of on before a frame
	open  []float64 // cost of all before a frame where the next word begins
	ended []float64 // the same where the last word ends
	began [][]int32 // for each word and end its start
	after [][]int32 // for each word and start of the next one its end
}

func newCourse(on []float64) *course {
	c := &course{on: on, sums: make([]float64, len(on)+1), open: make([]float64, len(on)+1), ended: make([]float64, len(on)+1)}
	for t, x := range on {
		c.sums[t+1] = c.sums[t] + x
		c.open[t+1] = loudCost * c.sums[t+1]
	}
	return c
}

// word adds a word that begins in [first, last) and is expected to take so many
// frames, and the pause after it.
func (c *course) word(first, last int, expected float64) {
	frames := len(c.on)
	began, after := make([]int32, frames+1), make([]int32, frames+1)
	var odd [longestWord + 1]float64
	for d := shortestWord; d <= longestWord; d++ {
		x := math.Log(float64(d) / expected)
		odd[d] = evenCost*x*x + quietCost*float64(d)
	}
	for t := range c.ended {
		c.ended[t] = math.Inf(1)
	}
	for b := first; b < last; b++ {
		base := c.open[b] + quietCost*c.sums[b]
		for d := shortestWord; d <= min(longestWord, frames-b); d++ {
			if x := base + odd[d] - quietCost*c.sums[b+d]; x < c.ended[b+d] {
				c.ended[b+d], began[b+d] = x, int32(b)
			}
		}
	}
	pause, since := math.Inf(1), int32(0)
	for t := range c.open {
		c.open[t], after[t] = c.ended[t], int32(t)
		if t > 0 && t < frames {
			c.open[t] += borderCost * min(c.on[t-1], c.on[t])
		}
		if pause < c.open[t] {
			c.open[t], after[t] = pause, since
		}
		if x := c.ended[t] + pauseCost; x < pause {
			pause, since = x, int32(t)
		}
		if t < frames {
			pause += loudCost * c.on[t]
		}
	}
	c.began, c.after = append(c.began, began), append(c.after, after)
}

// trace gives words the times of the cheapest course.
func (c *course) trace(words []engine.Word) bool {
	frames := len(c.on)
	end, least := 0, math.Inf(1)
	for t, x := range c.ended {
		if x += loudCost * (c.sums[frames] - c.sums[t]); x < least {
			end, least = t, x
		}
	}
	if math.IsInf(least, 1) {
		return false
	}
	at := func(t int) time.Duration { return codec.Duration(t*frame, codec.SpeechRate) }
	for i := len(words) - 1; i >= 0; i-- {
		begin := int(c.began[i][end])
		words[i].Start, words[i].End = at(begin), at(end)
		if i > 0 {
			end = int(c.after[i-1][begin])
		}
	}
	return true
}

// loudness says of each frame how far it is from silence, 0, to speech, 1.
func (s sound) loudness() []float64 {
	sorted := slices.Sorted(slices.Values(s.levels))
	high := sorted[len(sorted)*95/100]
	low := max(sorted[len(sorted)*5/100], high-45)
	out := make([]float64, len(s.levels))
	for t, x := range s.levels {
		out[t] = max(0, min(1, ((x-low)/max(high-low, 1)-0.1)/0.35))
	}
	return out
}
